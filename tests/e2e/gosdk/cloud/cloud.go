package main

import (
	"context"

	"go.mongodb.org/atlas-sdk/ATLAS_SDK_VERSION/admin"
)

type cloud struct {
	ctx            context.Context
	api            admin.CloudBackupsApi
	group, cluster string
}

func (c cloud) see(of *admin.DiskBackupReplicaSet) snapshot {
	return snapshot{of.GetId(), of.GetStatus(), of.GetSnapshotType(), of.GetFrequencyType(), of.GetReplicaSetName(),
		of.GetMongodVersion(), of.GetStorageSizeBytes(), of.GetCreatedAt(), of.GetExpiresAt()}
}

func (c cloud) seeJob(of *admin.DiskBackupSnapshotRestoreJob) job {
	return job{of.GetId(), of.GetDeliveryType(), of.GetSnapshotId(), of.GetTargetClusterName(), of.GetTargetGroupId(),
		of.GetDeliveryUrl(), of.GetCancelled(), of.GetExpired(), of.GetFailed(), of.GetFinishedAt(), of.GetExpiresAt()}
}

func (c cloud) take(description string, days int) snapshot {
	taken, _, err := c.takeSnapshot(
		&admin.DiskBackupOnDemandSnapshotRequest{Description: &description, RetentionInDays: &days})
	check("take a snapshot", err)
	return snapshot{id: taken.GetId(), status: taken.GetStatus()}
}

func (c cloud) snapshot(id string) snapshot {
	found, _, err := c.getSnapshot(id)
	check("get a snapshot", err)
	return c.see(found)
}

func (c cloud) snapshots() []snapshot {
	page, _, err := c.listSnapshots()
	check("list snapshots", err)
	var all []snapshot
	for _, one := range page.GetResults() {
		all = append(all, c.see(&one))
	}
	return all
}

func (c cloud) keep(id string, weeks int) snapshot {
	kept, _, err := c.changeRetention(id,
		&admin.BackupSnapshotRetention{RetentionUnit: "WEEKS", RetentionValue: weeks})
	check("change the retention", err)
	return c.see(kept)
}

func (c cloud) remove(id string) {
	check("delete a snapshot", c.deleteSnapshot(id))
}

func (c cloud) shardedSnapshots() int {
	page, _, err := c.listSharded()
	check("list sharded snapshots", err)
	return len(page.GetResults())
}

func (c cloud) start(kind, of, target, group string) job {
	request := &admin.DiskBackupSnapshotRestoreJob{DeliveryType: kind, SnapshotId: &of}
	if target != "" {
		request.TargetClusterName, request.TargetGroupId = &target, &group
	}
	asked, _, err := c.api.CreateBackupRestoreJob(c.ctx, c.group, c.cluster, request).Execute()
	check("start a restore job", err)
	return c.seeJob(asked)
}

func (c cloud) job(id string) job {
	found, _, err := c.api.GetBackupRestoreJob(c.ctx, c.group, c.cluster, id).Execute()
	check("get a restore job", err)
	return c.seeJob(found)
}

func (c cloud) jobs() []job {
	page, _, err := c.api.ListBackupRestoreJobs(c.ctx, c.group, c.cluster).Execute()
	check("list restore jobs", err)
	var all []job
	for _, one := range page.GetResults() {
		all = append(all, c.seeJob(&one))
	}
	return all
}

func (c cloud) cancel(id string) {
	check("cancel a restore job", c.cancelJob(id))
}

func (c cloud) codes(unknown, automated string) []string {
	_, _, noSnapshot := c.getSnapshot(unknown)
	_, _, noSharded := c.getSharded(unknown)
	_, _, noJob := c.api.GetBackupRestoreJob(c.ctx, c.group, c.cluster, unknown).Execute()
	noCancel := c.cancelJob(automated)
	var codes []string
	for _, failure := range []error{noSnapshot, noSharded, noJob, noCancel} {
		decoded, ok := admin.AsError(failure)
		if !ok {
			fail("an error does not decode: %v", failure)
		}
		codes = append(codes, decoded.GetErrorCode())
	}
	return codes
}
