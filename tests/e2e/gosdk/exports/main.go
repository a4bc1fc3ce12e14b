// Drives export buckets and export jobs with two releases of the Atlas Go SDK, one after the other: RELEASE says which. Prints
// what it saw as one line of JSON; exits with 1 and a reason at the first deviation.
package main

import (
	"context"
	"errors"
	"time"

	older "go.mongodb.org/atlas-sdk/v20240530005/admin"
	newer "go.mongodb.org/atlas-sdk/v20250312020/admin"
)

type result struct {
	Buckets    int    `json:"buckets"`
	FirstState string `json:"firstState"`
	LastState  string `json:"lastState"`
	Prefix     string `json:"prefix"`
	Jobs       int    `json:"jobs"`
	DeleteCode string `json:"deleteCode"`
}

func isFinal(state string) bool {
	return state == "Successful" || state == "Failed" || state == "Cancelled"
}

// Polls until `state` gives a final one, or a minute has passed.
func waitFor(state func() string) string {
	for end := time.Now().Add(time.Minute); ; time.Sleep(200 * time.Millisecond) {
		if now := state(); isFinal(now) || time.Now().After(end) {
			return now
		}
	}
}

func useOlder(ctx context.Context) (seen result) {
	client, err := older.NewClient(older.UseBaseURL(setting("BASE_URL")),
		older.UseDigestAuth(setting("PUBLIC_KEY"), setting("PRIVATE_KEY")))
	check("make the client", err)
	api, group, cluster := client.CloudBackupsApi, setting("GROUP_ID"), setting("CLUSTER")
	bucket, _, err := api.CreateExportBucket(ctx, group, &older.DiskBackupSnapshotExportBucket{
		BucketName: "bucket", CloudProvider: "AWS", IamRoleId: older.PtrString(setting("ROLE_ID"))}).Execute()
	check("create a bucket", err)
	found, _, err := api.GetExportBucket(ctx, group, bucket.GetId()).Execute()
	check("get a bucket", err)
	if found.GetIamRoleId() != setting("ROLE_ID") || found.GetBucketName() != "bucket" {
		fail("get a bucket: %+v", found)
	}
	buckets, _, err := api.ListExportBuckets(ctx, group).Execute()
	check("list buckets", err)
	seen.Buckets = buckets.GetTotalCount()
	job, _, err := api.CreateBackupExportJob(ctx, group, cluster, &older.DiskBackupExportJobRequest{
		ExportBucketId: bucket.GetId(), SnapshotId: setting("SNAPSHOT_ID"),
		CustomData: &[]older.BackupLabel{{Key: older.PtrString("k"), Value: older.PtrString("v")}}}).Execute()
	check("create a job", err)
	seen.FirstState, seen.Prefix = job.GetState(), job.GetPrefix()
	seen.LastState = waitFor(func() string {
		now, _, err := api.GetBackupExportJob(ctx, group, cluster, job.GetId()).Execute()
		check("get a job", err)
		return now.GetState()
	})
	jobs, _, err := api.ListBackupExportJobs(ctx, group, cluster).Execute()
	check("list jobs", err)
	seen.Jobs = jobs.GetTotalCount()
	_, _, err = api.DeleteExportBucket(ctx, group, bucket.GetId()).Execute()
	check("delete a bucket", err)
	_, _, err = api.DeleteExportBucket(ctx, group, bucket.GetId()).Execute()
	if failure, is := older.AsError(err); is {
		seen.DeleteCode = failure.GetErrorCode()
	}
	return seen
}

func useNewer(ctx context.Context) (seen result) {
	client, err := newer.NewClient(newer.UseBaseURL(setting("BASE_URL")),
		newer.UseDigestAuth(setting("PUBLIC_KEY"), setting("PRIVATE_KEY")))
	check("make the client", err)
	api, group, cluster := client.CloudBackupsApi, setting("GROUP_ID"), setting("CLUSTER")
	role, private := setting("ROLE_ID"), true
	bucket, _, err := api.CreateExportBucket(ctx, group, &newer.DiskBackupSnapshotExportBucketRequest{
		BucketName: newer.PtrString("bucket"), CloudProvider: "AWS", IamRoleId: &role}).Execute()
	check("create a bucket", err)
	changed, _, err := api.UpdateBackupExportBucket(ctx, group, bucket.Id,
		&newer.UpdateRequirePrivateNetworkingRequest{RequirePrivateNetworking: private}).Execute()
	check("update a bucket", err)
	if !changed.GetRequirePrivateNetworking() {
		fail("update a bucket: %+v", changed)
	}
	buckets, _, err := api.ListExportBuckets(ctx, group).Execute()
	check("list buckets", err)
	seen.Buckets = buckets.GetTotalCount()
	job, _, err := api.CreateBackupExport(ctx, group, cluster, &newer.DiskBackupExportJobRequest{
		ExportBucketId: bucket.Id, SnapshotId: setting("SNAPSHOT_ID")}).Execute()
	check("create a job", err)
	seen.FirstState, seen.Prefix = job.GetState(), job.GetPrefix()
	seen.LastState = waitFor(func() string {
		now, _, err := api.GetBackupExport(ctx, group, cluster, job.GetId()).Execute()
		check("get a job", err)
		return now.GetState()
	})
	jobs, _, err := api.ListBackupExports(ctx, group, cluster).Execute()
	check("list jobs", err)
	seen.Jobs = jobs.GetTotalCount()
	_, err = api.DeleteExportBucket(ctx, group, bucket.Id).Execute()
	check("delete a bucket", err)
	_, err = api.DeleteExportBucket(ctx, group, bucket.Id).Execute()
	var failure newer.GenericOpenAPIError
	if pointer := (*newer.GenericOpenAPIError)(nil); errors.As(err, &pointer) {
		failure = *pointer
	}
	seen.DeleteCode = failure.Model().ErrorCode
	return seen
}

func main() {
	ctx := context.Background()
	var seen result
	switch release := setting("RELEASE"); release {
	case "v20240530005":
		seen = useOlder(ctx)
	case "v20250312020":
		seen = useNewer(ctx)
	default:
		fail("RELEASE is %s", release)
	}
	printResult(seen)
}
