#!/usr/bin/env bash
# A real Slurm of one node for the tests: munge, accounts, controller and node on loopback, with made-up GPUs.
#
#   tests/engines/slurm-up.sh --install      fetches the packages, by apt
#   tests/engines/slurm-up.sh FOLDER         then: export SLURM_CONF=FOLDER/slurm.conf
#   tests/engines/slurm-down.sh FOLDER
#
# Root only; tried on Debian 12 (Slurm 22.05). Two partitions: `main`, whose jobs
# `urgent` ones preempt with 15 s of grace. There are no cgroups: what a job leaves behind is really left behind.
set -euo pipefail
lab=$(realpath -m "${1:?usage: slurm-up.sh --install | FOLDER}")
port=${SLURM_LAB_PORT:-16917} # and the two after it
gpus=2 cpus=8 memory_mb=8000
node=$(hostname -s)
PATH=$PATH:/usr/sbin:/sbin
daemons="munged mariadbd slurmdbd slurmctld slurmd"

[ "$(id -u)" = 0 ] || { echo "only root can start a Slurm here" >&2; exit 1; }
if [ "$1" = --install ]; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -q >/dev/null
    apt-get install -y -q --no-install-recommends slurmctld slurmd slurm-client munge slurmdbd slurm-wlm-mysql-plugin \
        mariadb-server-core mariadb-client-core >/dev/null
    getent hosts "$node" >/dev/null || echo "127.0.0.1 $node" >>/etc/hosts
    exit 0
fi
for program in $daemons srun sacct; do
    command -v "$program" >/dev/null || { echo "$program is not installed" >&2; exit 1; }
done

umask 022
mkdir -p "$lab"/{munge,state,spool,log,run,dev}
if [ ! -s "$lab/munge/key" ]; then
    head -c 1024 /dev/urandom >"$lab/munge/key"
    chmod 400 "$lab/munge/key"
fi
for ((n = 0; n < gpus; n++)); do # Slurm wants devices: these are /dev/null once more
    [ -c "$lab/dev/nvidia$n" ] || mknod -m 666 "$lab/dev/nvidia$n" c 1 3
done
cat >"$lab/slurm.conf" <<END
ClusterName=lab
SlurmctldHost=$node(127.0.0.1)
SlurmctldPort=$port
SlurmdPort=$((port + 1))
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$lab/munge/socket,cred_expire=5
CredType=cred/munge
StateSaveLocation=$lab/state
SlurmdSpoolDir=$lab/spool
SlurmctldPidFile=$lab/run/slurmctld.pid
SlurmdPidFile=$lab/run/slurmd.pid
SlurmctldLogFile=$lab/log/slurmctld.log
SlurmdLogFile=$lab/log/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/linux
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort=$((port + 2))
AccountingStoragePass=$lab/munge/socket
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=5,bf_interval=5,sched_min_interval=200000
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmctldParameters=preempt_send_user_signal
KillWait=10
ReturnToService=2
SlurmdParameters=config_overrides
JobRequeue=1
GresTypes=gpu
NodeName=$node NodeAddr=127.0.0.1 CPUs=$cpus Boards=1 SocketsPerBoard=1 CoresPerSocket=$cpus ThreadsPerCore=1 RealMemory=$memory_mb Gres=gpu:$gpus State=UNKNOWN
PartitionName=main Nodes=$node Default=YES MaxTime=INFINITE State=UP PriorityTier=1 PreemptMode=REQUEUE GraceTime=15 DefMemPerCPU=200
PartitionName=urgent Nodes=$node MaxTime=INFINITE State=UP PriorityTier=10 PreemptMode=OFF DefMemPerCPU=200
END
cat >"$lab/gres.conf" <<END
AutoDetect=off
Name=gpu Flags=nvidia_gpu_env File=$lab/dev/nvidia[0-$((gpus - 1))]
END
printf 'CgroupPlugin=cgroup/v1\nConstrainCores=no\nConstrainRAMSpace=no\nConstrainDevices=no\n' >"$lab/cgroup.conf"
(
    umask 077
    cat >"$lab/slurmdbd.conf" <<END
AuthType=auth/munge
AuthInfo=socket=$lab/munge/socket
DbdHost=$node
DbdAddr=127.0.0.1
DbdPort=$((port + 2))
SlurmUser=root
CommunicationParameters=NoInAddrAny
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=root
StorageLoc=slurm_acct
LogFile=$lab/log/slurmdbd.log
PidFile=$lab/run/slurmdbd.pid
END
)
export SLURM_CONF=$lab/slurm.conf MYSQL_UNIX_PORT=$lab/run/mariadb.sock

runs() { [ -s "$lab/run/$1.pid" ] && kill -0 "$(cat "$lab/run/$1.pid")" 2>/dev/null; }
until_true() { # how often a fifth of a second is waited for a command to succeed
    local times=$1
    shift
    while ! "$@" >/dev/null 2>&1; do
        times=$((times - 1))
        [ $times -gt 0 ] || return 1
        sleep 0.2
    done
}
usable() { sinfo -h -p main -o %t | grep -qE 'idle|mix|alloc'; }
awake() { usable || { scontrol update nodename="$node" state=resume; false; }; }

runs munged || munged --key-file="$lab/munge/key" --socket="$lab/munge/socket" --pid-file="$lab/run/munged.pid" \
    --log-file="$lab/log/munged.log" --seed-file="$lab/munge/seed" --num-threads=2
if [ ! -d "$lab/mysql/mysql" ]; then
    mkdir -p "$lab/mysql"
    mariadb-install-db --no-defaults --user=root --datadir="$lab/mysql" --auth-root-authentication-method=normal \
        --skip-test-db >"$lab/log/mariadb-install.log" 2>&1
fi
if ! runs mariadbd; then
    setsid mariadbd --no-defaults --user=root --datadir="$lab/mysql" --socket="$MYSQL_UNIX_PORT" \
        --pid-file="$lab/run/mariadbd.pid" --skip-networking --innodb-buffer-pool-size=64M \
        --innodb-lock-wait-timeout=900 --performance-schema=OFF >"$lab/log/mariadbd.log" 2>&1 </dev/null &
fi
until_true 150 test -S "$MYSQL_UNIX_PORT"
runs slurmdbd || slurmdbd # its settings lie beside $SLURM_CONF
until_true 150 sacctmgr -n -i show cluster
runs slurmctld || slurmctld -i
until_true 150 sh -c 'scontrol ping | grep -q "is UP"'
runs slurmd || slurmd -N "$node"
until_true 150 awake || { echo "Slurm did not come up: $(sinfo -R 2>&1)" >&2; exit 1; }
echo "Slurm is up: export SLURM_CONF=$SLURM_CONF"
