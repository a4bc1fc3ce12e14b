"""kill -9 amid exports, pushes, downloads, drills and restores. The long form is kill_jobs.py."""

import os

import pytest
from kill_jobs import Campaign

KILLS = int(os.environ.get("TIDEMARK_JOB_KILLS", "6"))


@pytest.mark.timeout(60 + 60 * KILLS)
def test_jobs_of_every_kind_converge_after_kills(tmp_path):
    campaign = Campaign(tmp_path, seed=KILLS)
    try:
        campaign.run(KILLS)
        assert campaign.counts["unfinished"] > 0
    finally:
        campaign.close()
