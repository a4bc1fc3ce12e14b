"""What the programs that kill servers begin and end with."""

import argparse
import pathlib
import random
import shutil
import sys
import tempfile


def run_campaign(make, description):
    """Runs `make(directory, seed)` for as many kills as the command line says, and prints its figures. What it worked on stays
    when something was not as it has to be."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    options = parser.parse_args()
    print(f"seed {options.seed}")
    directory = pathlib.Path(tempfile.mkdtemp(prefix="tidemark-kills-"))
    campaign = make(directory, options.seed)
    try:
        campaign.run(options.kills)
    except BaseException:
        print(f"kept for a look: {directory}", file=sys.stderr)
        raise
    finally:
        campaign.close()
    shutil.rmtree(directory)
    print(campaign.figures())
