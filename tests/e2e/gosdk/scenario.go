// Drives the tenant restore endpoints as a user of the Atlas Go SDK does, and prints what it saw as one
// line of JSON. Exits with 1 and a reason at the first deviation. gosdk.sh replaces the SDK version below.
package main

import (
	"context"
	"net/http"
	"time"

	"go.mongodb.org/atlas-sdk/ATLAS_SDK_VERSION/admin"
)

type result struct {
	JobsBefore   int    `json:"jobsBefore"`
	JobsAfter    int    `json:"jobsAfter"`
	Snapshots    int    `json:"snapshots"`
	FirstStatus  string `json:"firstStatus"`
	LastStatus   string `json:"lastStatus"`
	RestoreID    string `json:"restoreId"`
	SeenStatuses int    `json:"seenStatuses"`
}

func checkAnswer(doing string, response *http.Response, err error) {
	check(doing, err)
	want := "application/vnd.atlas.2023-01-01+json;charset=utf-8"
	if got := response.Header.Get("Content-Type"); got != want {
		fail("%s: content type %q, want %q", doing, got, want)
	}
}

func listJobs(ctx context.Context, client *admin.APIClient) int {
	page, response, err := client.SharedTierRestoreJobsApi.
		ListSharedClusterBackupRestoreJobs(ctx, setting("CLUSTER"), setting("GROUP_ID")).Execute()
	checkAnswer("list restore jobs", response, err)
	if page.GetTotalCount() != len(page.GetResults()) {
		fail("list restore jobs: totalCount %d, %d results", page.GetTotalCount(), len(page.GetResults()))
	}
	return page.GetTotalCount()
}

func listSnapshots(ctx context.Context, client *admin.APIClient) int {
	page, response, err := client.SharedTierSnapshotsApi.
		ListSharedClusterBackups(ctx, setting("GROUP_ID"), setting("CLUSTER")).Execute()
	checkAnswer("list snapshots", response, err)
	one, response, err := client.SharedTierSnapshotsApi.
		GetSharedClusterBackup(ctx, setting("GROUP_ID"), setting("CLUSTER"), setting("SNAPSHOT_ID")).Execute()
	checkAnswer("get snapshot", response, err)
	if one.GetStatus() != "COMPLETED" {
		fail("get snapshot: status %q", one.GetStatus())
	}
	return len(page.GetResults())
}

func create(ctx context.Context, client *admin.APIClient) *admin.TenantRestore {
	target := setting("TARGET_GROUP_ID")
	job, response, err := client.SharedTierRestoreJobsApi.
		CreateSharedClusterBackupRestoreJob(ctx, setting("CLUSTER"), setting("GROUP_ID"), &admin.TenantRestore{
			SnapshotId:               setting("SNAPSHOT_ID"),
			TargetDeploymentItemName: setting("TARGET"),
			TargetProjectId:          &target,
		}).Execute()
	checkAnswer("create restore job", response, err)
	return job
}

func get(ctx context.Context, client *admin.APIClient, id string) *admin.TenantRestore {
	job, response, err := client.SharedTierRestoreJobsApi.
		GetSharedClusterBackupRestoreJob(ctx, setting("CLUSTER"), setting("GROUP_ID"), id).Execute()
	checkAnswer("get restore job", response, err)
	return job
}

func poll(ctx context.Context, client *admin.APIClient, seen *result) {
	statuses := map[string]bool{}
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		seen.LastStatus = get(ctx, client, seen.RestoreID).GetStatus()
		statuses[seen.LastStatus] = true
		seen.SeenStatuses = len(statuses)
		if seen.LastStatus == "COMPLETED" {
			return
		}
		if seen.LastStatus == "FAILED" {
			fail("restore job %s failed", seen.RestoreID)
		}
	}
	fail("restore job %s is still %s", seen.RestoreID, seen.LastStatus)
}

func checkUnknown(ctx context.Context, client *admin.APIClient) {
	_, response, err := client.SharedTierRestoreJobsApi.
		GetSharedClusterBackupRestoreJob(ctx, setting("CLUSTER"), setting("GROUP_ID"), "0123456789abcdef01234567").Execute()
	if response == nil || response.StatusCode != http.StatusNotFound {
		fail("unknown restore job: no 404 but %v, %v", response, err)
	}
	if !admin.IsErrorCode(err, "TENANT_RESTORE_NOT_FOUND") {
		fail("unknown restore job: the error does not decode as TENANT_RESTORE_NOT_FOUND: %v", err)
	}
}

func main() {
	ctx := context.Background()
	client, finish := newClient(ctx)
	var seen result
	seen.Snapshots = listSnapshots(ctx, client)
	seen.JobsBefore = listJobs(ctx, client)
	job := create(ctx, client)
	seen.FirstStatus, seen.RestoreID = job.GetStatus(), job.GetId()
	poll(ctx, client, &seen)
	seen.JobsAfter = listJobs(ctx, client)
	checkUnknown(ctx, client)
	finish(ctx, client)
	printResult(seen)
}
