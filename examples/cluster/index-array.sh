#!/bin/bash
# Fills one index with a Slurm array: sbatch index-array.sh
# The credentials that docs/cluster.md names come from your environment, which sbatch hands on.
#SBATCH --job-name=lincir-index
#SBATCH --array=0-99%20
#SBATCH --cpus-per-task=4
#SBATCH --mem=12G
#SBATCH --time=12:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
# Ten seconds before the end of its time, a task gets SIGTERM, and commits what is done.
#SBATCH --signal=TERM@10
set -euo pipefail

# A task that runs again goes on. To run some tasks again, give the numbers of all, as in auto/100:
#   SHARD=auto/100 sbatch --array=3,17 index-array.sh
exec lincir index "${SOURCES:-s3://shop/images/}" \
  --index "${INDEX:-opensearch+https://search.example.org:9200/shop}" \
  --model "${MODEL:-large}" \
  --shard "${SHARD:-auto}" \
  --threads "${SLURM_CPUS_PER_TASK:-4}"
