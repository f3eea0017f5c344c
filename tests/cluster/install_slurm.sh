#!/bin/sh
# The programs of Slurm, where they are missing: the tests configure and start them themselves.
set -eu
PATH="$PATH:/usr/sbin"

for program in munged slurmctld slurmd sbatch; do
    command -v "$program" > /dev/null || missing="${missing:-} $program"
done
[ -n "${missing:-}" ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then
    echo "not installed:$missing; on Debian: apt-get install slurmctld slurmd slurm-client munge" >&2
    exit 1
fi
apt-get update --quiet
DEBIAN_FRONTEND=noninteractive apt-get install --quiet --yes --no-install-recommends \
    slurmctld slurmd slurm-client munge
