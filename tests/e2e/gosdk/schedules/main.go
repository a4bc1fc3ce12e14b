// Drives the legacy endpoints of snapshots, schedule and checkpoints with the client of the v1.0 API and with the Atlas Go
// SDK, and prints what it saw as one line of JSON. Exits with 1 and a reason at the first deviation.
package main

import (
	"context"
	"net/http"

	"github.com/mongodb-forks/digest"
	"go.mongodb.org/atlas-sdk/v20241113005/admin"
	"go.mongodb.org/atlas/mongodbatlas"
)

type result struct {
	OldSnapshots   int    `json:"oldSnapshots"`
	OldExpires     string `json:"oldExpires"`
	OldCheckpoints int    `json:"oldCheckpoints"`
	OldErrorCode   string `json:"oldErrorCode"`
	Interval       int    `json:"interval"`
	ChangedDaily   int    `json:"changedDaily"`
	Snapshots      int    `json:"snapshots"`
	Kept           bool   `json:"kept"`
	Checkpoints    int    `json:"checkpoints"`
	RefusedCode    string `json:"refusedCode"`
	GoneCode       string `json:"goneCode"`
}

func useOldClient(ctx context.Context, seen *result) {
	transport := digest.NewTransport(setting("PUBLIC_KEY"), setting("PRIVATE_KEY"))
	connection, err := transport.Client()
	check("make the old client", err)
	client, err := mongodbatlas.New(connection, mongodbatlas.SetBaseURL(setting("BASE_URL")+"/"))
	check("make the old client", err)
	group, cluster, snapshot := setting("GROUP_ID"), setting("CLUSTER"), setting("SNAPSHOT_ID")

	list, _, err := client.ContinuousSnapshots.List(ctx, group, cluster, nil)
	check("list snapshots", err)
	seen.OldSnapshots = len(list.Results)
	one, _, err := client.ContinuousSnapshots.Get(ctx, group, cluster, snapshot)
	check("get a snapshot", err)
	if !one.Complete || len(one.Parts) != 1 || one.Parts[0].TypeName != "REPLICA_SET" {
		fail("get a snapshot: %+v", one)
	}
	change := &mongodbatlas.ContinuousSnapshot{Expires: "2099-12-01"}
	changed, _, err := client.ContinuousSnapshots.ChangeExpiry(ctx, group, cluster, snapshot, change)
	check("change the expiry", err)
	seen.OldExpires = changed.Expires
	checkpoints, _, err := client.Checkpoints.List(ctx, group, cluster, nil)
	check("list checkpoints", err)
	seen.OldCheckpoints = checkpoints.TotalCount
	_, _, err = client.ContinuousSnapshots.Get(ctx, group, cluster, "000000000000000000000000")
	if refused, ok := err.(*mongodbatlas.ErrorResponse); ok {
		seen.OldErrorCode = refused.ErrorCode
	}
}

func codeOf(err error) string {
	refused, ok := admin.AsError(err)
	if !ok {
		fail("no API error: %v", err)
	}
	return refused.GetErrorCode()
}

func useSchedule(ctx context.Context, api admin.LegacyBackupApi, seen *result) {
	group, cluster := setting("GROUP_ID"), setting("CLUSTER")
	before, _, err := api.GetLegacySnapshotSchedule(ctx, group, cluster).Execute()
	check("get the schedule", err)
	seen.Interval = before.GetSnapshotIntervalHours()
	wish := *before // as Terraform and people do: what was read, with one change
	wish.SetDailySnapshotRetentionDays(30)
	after, _, err := api.UpdateLegacySnapshotSchedule(ctx, group, cluster, &wish).Execute()
	check("change the schedule", err)
	seen.ChangedDaily = after.GetDailySnapshotRetentionDays()
	_, _, err = api.UpdateLegacySnapshotSchedule(ctx, group, cluster, before).Execute()
	check("change the schedule back", err)
	wish.SetSnapshotIntervalHours(7)
	_, _, err = api.UpdateLegacySnapshotSchedule(ctx, group, cluster, &wish).Execute()
	seen.RefusedCode = codeOf(err)
}

func useSnapshots(ctx context.Context, api admin.LegacyBackupApi, seen *result) {
	group, cluster, snapshot := setting("GROUP_ID"), setting("CLUSTER"), setting("SNAPSHOT_ID")
	list, _, err := api.ListLegacySnapshots(ctx, group, cluster).Completed("all").Execute()
	check("list snapshots", err)
	seen.Snapshots = len(list.GetResults())
	kept, _, err := api.UpdateLegacySnapshotRetention(
		ctx, group, cluster, snapshot, &admin.BackupSnapshot{DoNotDelete: admin.PtrBool(true)}).Execute()
	check("keep a snapshot", err)
	seen.Kept = kept.GetDoNotDelete() && !kept.HasExpires()
	_, _, err = api.UpdateLegacySnapshotRetention(
		ctx, group, cluster, snapshot, &admin.BackupSnapshot{DoNotDelete: admin.PtrBool(false)}).Execute()
	check("let a snapshot go", err)
	_, response, err := api.DeleteLegacySnapshot(ctx, group, cluster, snapshot).Execute()
	check("delete a snapshot", err)
	if response.StatusCode != http.StatusNoContent {
		fail("delete a snapshot: status %d", response.StatusCode)
	}
	_, _, err = api.GetLegacySnapshot(ctx, group, cluster, snapshot).Execute()
	seen.GoneCode = codeOf(err)
	checkpoints, _, err := api.ListLegacyBackupCheckpoints(ctx, group, cluster).Execute()
	check("list checkpoints", err)
	seen.Checkpoints = checkpoints.GetTotalCount()
}

func main() {
	ctx := context.Background()
	seen := result{}
	useOldClient(ctx, &seen)
	client, err := admin.NewClient(
		admin.UseBaseURL(setting("BASE_URL")),
		admin.UseDigestAuth(setting("PUBLIC_KEY"), setting("PRIVATE_KEY")))
	check("make the client", err)
	useSchedule(ctx, client.LegacyBackupApi, &seen)
	useSnapshots(ctx, client.LegacyBackupApi, &seen)
	printResult(seen)
}
