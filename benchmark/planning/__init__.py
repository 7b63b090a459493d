"""Planning: suites and results make the runs that are missing; what each of them takes."""
