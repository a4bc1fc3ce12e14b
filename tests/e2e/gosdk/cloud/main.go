// Drives cloud backup snapshots and restore jobs as a user of the Atlas Go SDK does, and prints what it saw as one line
// of JSON. Exits with 1 and a reason at the first deviation. A release of the SDK from before its calls were renamed signs
// in with digest, one from after that as a service account. gosdk.sh replaces the SDK version.
package main

import (
	"context"
	"io"
	"net/http"
	"time"
)

type snapshot struct {
	id, status, kind, frequency, set, version string
	size                                      int64
	created, expires                          time.Time
}

type job struct {
	id, kind, snapshot, target, group string
	urls                              []string
	cancelled, expired, failed        bool
	finished, expires                 time.Time
}

type result struct {
	States    []string `json:"states"`
	Type      string   `json:"type"`
	Frequency string   `json:"frequency"`
	Days      float64  `json:"days"`
	Weeks     float64  `json:"weeks"`
	Size      int64    `json:"size"`
	Version   string   `json:"version"`
	Listed    int      `json:"listed"`
	Sharded   int      `json:"sharded"`
	Bytes     int64    `json:"bytes"`
	Minutes   float64  `json:"minutes"`
	Dead      int      `json:"dead"`
	Jobs      int      `json:"jobs"`
	Codes     []string `json:"codes"`
}

func fetch(url string) (int, int64) {
	response, err := http.Get(url)
	check("fetch the archive", err)
	defer response.Body.Close()
	count, err := io.Copy(io.Discard, response.Body)
	check("read the archive", err)
	return response.StatusCode, count
}

func until(doing string, done func() bool) {
	for deadline := time.Now().Add(2 * time.Minute); !done(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			fail("%s: it takes too long", doing)
		}
	}
}

func takeSnapshot(client cloud, seen *result) snapshot {
	taken := client.take("by the Go SDK", 3)
	last := taken
	until("take a snapshot", func() bool {
		if len(seen.States) == 0 || seen.States[len(seen.States)-1] != last.status {
			seen.States = append(seen.States, last.status)
		}
		done := last.status == "completed" || last.status == "failed"
		if !done {
			last = client.snapshot(taken.id)
		}
		return done
	})
	seen.Type, seen.Frequency, seen.Size, seen.Version = last.kind, last.frequency, last.size, last.version
	seen.Days = last.expires.Sub(last.created).Hours() / 24
	kept := client.keep(last.id, 2)
	seen.Weeks = kept.expires.Sub(kept.created).Hours() / 24 / 7
	listed := client.snapshots()
	seen.Listed = len(listed)
	if listed[0].id != last.id {
		fail("list snapshots: the newest one is not the first")
	}
	seen.Sharded = client.shardedSnapshots()
	return last
}

func download(client cloud, of string, seen *result) {
	asked := client.start("download", of, "", "")
	until("wait for the link", func() bool { return len(client.job(asked.id).urls) > 0 })
	ready := client.job(asked.id)
	status, count := fetch(ready.urls[0])
	if status != http.StatusOK {
		fail("fetch the archive: status %d", status)
	}
	seen.Bytes, seen.Minutes = count, time.Until(ready.expires).Minutes()
	client.cancel(asked.id)
	gone := client.job(asked.id)
	if !gone.cancelled || len(gone.urls) > 0 {
		fail("the cancelled download: %+v", gone)
	}
	seen.Dead, _ = fetch(ready.urls[0])
}

func restore(client cloud, of string) job {
	asked := client.start("automated", of, setting("TARGET"), setting("TARGET_GROUP_ID"))
	until("restore", func() bool { return !client.job(asked.id).finished.IsZero() })
	done := client.job(asked.id)
	if done.failed || done.target != setting("TARGET") || done.group != setting("TARGET_GROUP_ID") {
		fail("the restore: %+v", done)
	}
	return done
}

func main() {
	ctx := context.Background()
	client := newCloud(ctx)
	var seen result
	taken := takeSnapshot(client, &seen)
	download(client, taken.id, &seen)
	restored := restore(client, taken.id)
	seen.Jobs = len(client.jobs())
	seen.Codes = client.codes("0123456789abcdef01234567", restored.id)
	client.remove(taken.id)
	if left := len(client.snapshots()); left != seen.Listed-1 {
		fail("delete the snapshot: %d of %d are left", left, seen.Listed)
	}
	printResult(seen)
}
