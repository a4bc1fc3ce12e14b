"""Drives cloud backups as a user of the PyPI package atlasapi does, and prints what it saw as one line of JSON. The package
reads BASE_URL when it is imported."""

import json
import os
import time

from atlasapi.atlas import Atlas
from atlasapi.errors import ErrAtlasNotFound
from atlasapi.network import HTTPDigestAuth

CLUSTER = os.environ["CLUSTER"]
UNKNOWN = "0123456789abcdef01234567"


def poll(client, snapshot):
    for _ in range(600):
        found = list(client.CloudBackups.get_backup_snapshot_for_cluster(CLUSTER, snapshot))[0]
        if found.status.name in ("COMPLETED", "FAILED"):
            return found
        time.sleep(0.2)
    raise TimeoutError(f"snapshot {snapshot} is still {found.status}")


def restore(client, snapshot):
    asked = client.CloudBackups.request_snapshot_restore(CLUSTER, snapshot, os.environ["TARGET"])
    for _ in range(600):
        job = list(client.CloudBackups.get_snapshot_restore_requests(CLUSTER, asked.restore_id))[0]
        if job.finished_at:
            return job
        time.sleep(0.2)
    raise TimeoutError(f"restore job {asked.restore_id} does not end")


def find_unknown(client):
    try:
        list(client.CloudBackups.get_snapshot_restore_requests(CLUSTER, UNKNOWN))
    except ErrAtlasNotFound as error:
        return error.details["errorCode"]
    return None


def main():
    client = Atlas(
        os.environ["PUBLIC_KEY"], os.environ["PRIVATE_KEY"], os.environ["GROUP_ID"], auth_method=HTTPDigestAuth
    )
    taken = client.CloudBackups.create_snapshot_for_cluster(CLUSTER, 2, "by atlasapi", as_obj=False)
    finished = poll(client, taken["id"])
    listed = [snapshot.id for snapshot in client.CloudBackups.get_backup_snapshots_for_cluster(CLUSTER)]
    restored = restore(client, taken["id"])
    download = os.environ["DOWNLOAD_ID"]
    client.CloudBackups.cancel_snapshot_restore_request(CLUSTER, download)
    job = list(client.CloudBackups.get_snapshot_restore_requests(CLUSTER, download))[0]
    jobs = [one.restore_id for one in client.CloudBackups.get_snapshot_restore_requests(CLUSTER)]
    print(
        json.dumps(
            {
                "id": taken["id"],
                "status": finished.status.name,
                "type": finished.snapshot_type.name,
                "days": (finished.expires_at - finished.created_at).days,
                "listed": taken["id"] in listed,
                "exists": client.CloudBackups.is_existing_snapshot(CLUSTER, taken["id"]),
                "existsNot": client.CloudBackups.is_existing_snapshot(CLUSTER, UNKNOWN),
                "cancelled": job.cancelled,
                "jobListed": download in jobs,
                "delivery": job.deliveryType.name,
                "restored": restored.deliveryType.name == "automated",
                "target": restored.target_deployment_item_name,
                "unknown": find_unknown(client),
            }
        )
    )


main()
