#!/usr/bin/env bash
# Ends what slurm-up.sh has started in this folder, and nothing else; what takes long is killed.
lab=$(realpath -m "${1:?usage: slurm-down.sh FOLDER}")
export SLURM_CONF=$lab/slurm.conf
[ ! -s "$SLURM_CONF" ] || timeout 10 scancel --quiet --user=root 2>/dev/null
sleep 0.5
pids=$(cat "$lab"/run/{slurmd,slurmctld,slurmdbd,mariadbd,munged}.pid 2>/dev/null)
for signal in TERM KILL; do
    for pid in $pids; do kill -s $signal "$pid" 2>/dev/null; done
    for _ in $(seq 15); do
        kill -0 $pids 2>/dev/null || break
        sleep 0.2
    done
done
rm -f "$lab"/run/*.pid
