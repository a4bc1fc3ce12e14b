package main

import (
	"context"

	"go.mongodb.org/atlas-sdk/v20240530005/admin"
)

type digestCloud struct {
	ctx            context.Context
	client         *admin.APIClient
	group, cluster string
}

func newDigestCloud(ctx context.Context) cloud {
	client, err := admin.NewClient(
		admin.UseBaseURL(setting("BASE_URL")),
		admin.UseDigestAuth(setting("PUBLIC_KEY"), setting("PRIVATE_KEY")))
	check("create the client", err)
	return digestCloud{ctx, client, setting("GROUP_ID"), setting("CLUSTER")}
}

func (c digestCloud) see(of *admin.DiskBackupReplicaSet) snapshot {
	return snapshot{of.GetId(), of.GetStatus(), of.GetSnapshotType(), of.GetFrequencyType(), of.GetReplicaSetName(),
		of.GetMongodVersion(), of.GetStorageSizeBytes(), of.GetCreatedAt(), of.GetExpiresAt()}
}

func (c digestCloud) seeJob(of *admin.DiskBackupSnapshotRestoreJob) job {
	return job{of.GetId(), of.GetDeliveryType(), of.GetSnapshotId(), of.GetTargetClusterName(), of.GetTargetGroupId(),
		of.GetDeliveryUrl(), of.GetCancelled(), of.GetExpired(), of.GetFailed(), of.GetFinishedAt(), of.GetExpiresAt()}
}

func (c digestCloud) take(description string, days int) snapshot {
	taken, _, err := c.client.CloudBackupsApi.TakeSnapshot(c.ctx, c.group, c.cluster,
		&admin.DiskBackupOnDemandSnapshotRequest{Description: &description, RetentionInDays: &days}).Execute()
	check("take a snapshot", err)
	return snapshot{id: taken.GetId(), status: taken.GetStatus()}
}

func (c digestCloud) snapshot(id string) snapshot {
	found, _, err := c.client.CloudBackupsApi.GetReplicaSetBackup(c.ctx, c.group, c.cluster, id).Execute()
	check("get a snapshot", err)
	return c.see(found)
}

func (c digestCloud) snapshots() []snapshot {
	page, _, err := c.client.CloudBackupsApi.ListReplicaSetBackups(c.ctx, c.group, c.cluster).Execute()
	check("list snapshots", err)
	var all []snapshot
	for _, one := range page.GetResults() {
		all = append(all, c.see(&one))
	}
	return all
}

func (c digestCloud) keep(id string, weeks int) snapshot {
	kept, _, err := c.client.CloudBackupsApi.UpdateSnapshotRetention(c.ctx, c.group, c.cluster, id,
		&admin.BackupSnapshotRetention{RetentionUnit: "WEEKS", RetentionValue: weeks}).Execute()
	check("change the retention", err)
	return c.see(kept)
}

func (c digestCloud) remove(id string) {
	_, _, err := c.client.CloudBackupsApi.DeleteReplicaSetBackup(c.ctx, c.group, c.cluster, id).Execute()
	check("delete a snapshot", err)
}

func (c digestCloud) shardedSnapshots() int {
	page, _, err := c.client.CloudBackupsApi.ListShardedClusterBackups(c.ctx, c.group, c.cluster).Execute()
	check("list sharded snapshots", err)
	return len(page.GetResults())
}

func (c digestCloud) start(kind, of, target, group string) job {
	request := &admin.DiskBackupSnapshotRestoreJob{DeliveryType: kind, SnapshotId: &of}
	if target != "" {
		request.TargetClusterName, request.TargetGroupId = &target, &group
	}
	asked, _, err := c.client.CloudBackupsApi.CreateBackupRestoreJob(c.ctx, c.group, c.cluster, request).Execute()
	check("start a restore job", err)
	return c.seeJob(asked)
}

func (c digestCloud) job(id string) job {
	found, _, err := c.client.CloudBackupsApi.GetBackupRestoreJob(c.ctx, c.group, c.cluster, id).Execute()
	check("get a restore job", err)
	return c.seeJob(found)
}

func (c digestCloud) jobs() []job {
	page, _, err := c.client.CloudBackupsApi.ListBackupRestoreJobs(c.ctx, c.group, c.cluster).Execute()
	check("list restore jobs", err)
	var all []job
	for _, one := range page.GetResults() {
		all = append(all, c.seeJob(&one))
	}
	return all
}

func (c digestCloud) cancel(id string) {
	_, _, err := c.client.CloudBackupsApi.CancelBackupRestoreJob(c.ctx, c.group, c.cluster, id).Execute()
	check("cancel a restore job", err)
}

func (c digestCloud) codes(unknown, automated string) []string {
	backups := c.client.CloudBackupsApi
	_, _, noSnapshot := backups.GetReplicaSetBackup(c.ctx, c.group, c.cluster, unknown).Execute()
	_, _, noSharded := backups.GetShardedClusterBackup(c.ctx, c.group, c.cluster, unknown).Execute()
	_, _, noJob := backups.GetBackupRestoreJob(c.ctx, c.group, c.cluster, unknown).Execute()
	_, _, noCancel := backups.CancelBackupRestoreJob(c.ctx, c.group, c.cluster, automated).Execute()
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
