// Drives the schedule of cloud backups and the backup compliance policy with the Atlas Go SDK in an old and a new release,
// and prints what it saw as one line of JSON. Exits with 1 and a reason at the first deviation.
package main

import (
	"context"
	"reflect"

	old "go.mongodb.org/atlas-sdk/v20240530005/admin"
	recent "go.mongodb.org/atlas-sdk/v20250312020/admin"
)

type result struct {
	Items       []string `json:"items"`
	Deprecation string   `json:"deprecation"`
	Hourly      int      `json:"hourly"`
	SameIds     bool     `json:"sameIds"`
	NewId       bool     `json:"newId"`
	Deleted     int      `json:"deleted"`
	Back        int      `json:"back"`
	Extra       int      `json:"extra"`
	RefusedCode string   `json:"refusedCode"`
	NoPolicy    string   `json:"noPolicy"`
	State       string   `json:"state"`
	Raised      int      `json:"raised"`
	Weaker      string   `json:"weaker"`
	Disabled    string   `json:"disabled"`
	Below       string   `json:"below"`
}

func codeOf(err error) string {
	refused, ok := recent.AsError(err)
	if !ok {
		fail("no API error: %v", err)
	}
	return refused.GetErrorCode()
}

// As the CLI does it: what was read, with one change.
func useOldClient(ctx context.Context, api old.CloudBackupsApi, seen *result) {
	group, cluster := setting("GROUP_ID"), setting("CLUSTER")
	before, response, err := api.GetBackupSchedule(ctx, group, cluster).Execute()
	check("get the schedule", err)
	seen.Deprecation = response.Header.Get("Deprecation")
	policy := before.GetPolicies()[0]
	for _, item := range policy.GetPolicyItems() {
		seen.Items = append(seen.Items, item.GetFrequencyType())
	}
	items := append([]old.DiskBackupApiPolicyItem{}, policy.GetPolicyItems()...)
	items[0].SetRetentionValue(9)
	policy.SetPolicyItems(items)
	wish := *before
	wish.SetPolicies([]old.AdvancedDiskBackupSnapshotSchedulePolicy{policy})
	after, _, err := api.UpdateBackupSchedule(ctx, group, cluster, &wish).Execute()
	check("change the schedule", err)
	changed := after.GetPolicies()[0].GetPolicyItems()
	seen.Hourly = changed[0].GetRetentionValue()
	seen.SameIds = len(changed) == len(items)
	for i := range changed {
		seen.SameIds = seen.SameIds && changed[i].GetId() == items[i].GetId()
	}
	if _, _, err = api.UpdateBackupSchedule(ctx, group, cluster, before).Execute(); err != nil {
		fail("change the schedule back: %v", err)
	}
	wish.SetReferenceHourOfDay(24)
	_, _, err = api.UpdateBackupSchedule(ctx, group, cluster, &wish).Execute()
	if refused, ok := old.AsError(err); ok {
		seen.RefusedCode = refused.GetErrorCode()
	}
}

func item(frequency string, interval int, unit string, value int) recent.DiskBackupApiPolicyItem {
	return recent.DiskBackupApiPolicyItem{
		FrequencyType: frequency, FrequencyInterval: interval, RetentionUnit: unit, RetentionValue: value}
}

// As Terraform creates a schedule: DELETE, GET, PATCH; then it reads what it has set, and nothing differs.
func useNewClient(ctx context.Context, api recent.CloudBackupsApi, seen *result) {
	group, cluster := setting("GROUP_ID"), setting("CLUSTER")
	before, _, err := api.GetBackupSchedule(ctx, group, cluster).Execute()
	check("get the schedule", err)
	known := before.GetPolicies()[0].GetPolicyItems()[0].GetId()
	_, _, err = api.DeleteClusterBackupSchedule(ctx, group, cluster).Execute()
	check("delete the schedule", err)
	empty, _, err := api.GetBackupSchedule(ctx, group, cluster).Execute()
	check("get the deleted schedule", err)
	seen.Deleted = len(empty.GetPolicies()[0].GetPolicyItems())
	if empty.HasNextSnapshot() {
		fail("a deleted schedule has a next snapshot")
	}
	wish := recent.DiskBackupSnapshotSchedule20240805{
		ReferenceHourOfDay: recent.PtrInt(3),
		RestoreWindowDays:  recent.PtrInt(4),
		ExtraRetentionSettings: &[]recent.ExtraRetentionSetting{
			{FrequencyType: recent.PtrString("DAILY"), RetentionDays: recent.PtrInt(2)}},
		Policies: []recent.AdvancedDiskBackupSnapshotSchedulePolicy{{
			Id: empty.GetPolicies()[0].Id,
			PolicyItems: []recent.DiskBackupApiPolicyItem{
				item("hourly", 12, "days", 7), item("monthly", 40, "months", 3)}}},
	}
	after, _, err := api.UpdateBackupSchedule(ctx, group, cluster, &wish).Execute()
	check("bring the schedule back", err)
	seen.Back = len(after.GetPolicies()[0].GetPolicyItems())
	seen.Extra = after.GetExtraRetentionSettings()[0].GetRetentionDays()
	seen.NewId = after.GetPolicies()[0].GetPolicyItems()[0].GetId() != known
	again, _, err := api.GetBackupSchedule(ctx, group, cluster).Execute()
	check("read the schedule", err)
	if !reflect.DeepEqual(after, again) || again.GetRestoreWindowDays() != 4 || again.GetReferenceHourOfDay() != 3 {
		fail("the schedule drifts: %+v, %+v", after, again)
	}
}

func usePolicy(ctx context.Context, api recent.CloudBackupsApi, seen *result) {
	group, cluster := setting("GROUP_ID"), setting("CLUSTER")
	none, _, err := api.GetCompliancePolicy(ctx, group).Execute()
	check("get no policy", err)
	seen.NoPolicy = none.GetAuthorizedEmail()
	wish := recent.NewDataProtectionSettings20231001("a@b.example", "A", "B")
	wish.SetScheduledPolicyItems([]recent.BackupComplianceScheduledPolicyItem{
		{FrequencyType: "hourly", FrequencyInterval: 6, RetentionUnit: "days", RetentionValue: 8}})
	set, _, err := api.UpdateCompliancePolicy(ctx, group, wish).OverwriteBackupPolicies(true).Execute()
	check("set the policy", err)
	seen.State = set.GetState()
	read, _, err := api.GetCompliancePolicy(ctx, group).Execute()
	check("get the policy", err)
	if !reflect.DeepEqual(set, read) {
		fail("the policy drifts: %+v, %+v", set, read)
	}
	schedule, _, err := api.GetBackupSchedule(ctx, group, cluster).Execute()
	check("get the schedule", err)
	seen.Raised = schedule.GetPolicies()[0].GetPolicyItems()[0].GetRetentionValue()
	items := wish.GetScheduledPolicyItems()
	items[0].RetentionValue = 7
	_, _, err = api.UpdateCompliancePolicy(ctx, group, wish).Execute()
	seen.Weaker = codeOf(err)
	_, err = api.DisableCompliancePolicy(ctx, group).Execute()
	seen.Disabled = codeOf(err)
	_, _, err = api.DeleteClusterBackupSchedule(ctx, group, cluster).Execute()
	seen.Below = codeOf(err)
}

func main() {
	ctx := context.Background()
	seen := result{}
	first, err := old.NewClient(
		old.UseBaseURL(setting("BASE_URL")), old.UseDigestAuth(setting("PUBLIC_KEY"), setting("PRIVATE_KEY")))
	check("make the old client", err)
	useOldClient(ctx, first.CloudBackupsApi, &seen)
	second, err := recent.NewClient(
		recent.UseBaseURL(setting("BASE_URL")), recent.UseDigestAuth(setting("PUBLIC_KEY"), setting("PRIVATE_KEY")))
	check("make the new client", err)
	useNewClient(ctx, second.CloudBackupsApi, &seen)
	usePolicy(ctx, second.CloudBackupsApi, &seen)
	printResult(seen)
}
