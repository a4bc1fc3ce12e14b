#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/mutex.h"
#include "base/random.h"
#include "blob/blob_store.h"
#include "bson/builder.h"
#include "engine/document_reader.h"
#include "engine/snapshot.h"
#include "tests/support/memory_source.h"

namespace tidemark::engine {

// A repository in memory, and a source to fill.
class EngineFixture : public testing::Test {
 protected:
  EngineFixture() {
    repo::Repository::Create(*store_, key_, nonces_);
    repository_ = repo::Repository::Open(*store_, key_, nonces_);
    options_.snapshot = SnapshotId::Generate(clock_.Now(), random_);
    options_.project = ProjectId::Generate(clock_.Now(), random_);
    options_.cluster = ClusterId::Generate(clock_.Now(), random_);
    options_.cluster_name = "c0";
    options_.pause = [](std::chrono::milliseconds, const std::stop_token&) {};
  }

  RunContext Context() {
    return {.stop = stop_.get_token(),
            .on_progress = [this](const Progress& progress) { Keep(progress); },
            .clock = clock_,
            .log = *log_};
  }

  void Keep(const Progress& progress) TIDEMARK_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    progress_ = progress;
  }

  Progress LastProgress() TIDEMARK_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return progress_;
  }

  SnapshotSummary Take() { return TakeSnapshot(source_, *repository_, options_, Context()); }

  repo::Manifest Manifest() {
    return repository_->LoadManifest(options_.project, options_.snapshot);
  }

  std::vector<Bytes> Read(const repo::NamespaceEntry& entry) {
    const auto reader = repository_->NewReader(options_.project);
    std::vector<Bytes> documents;
    ReadDocuments(*reader, entry, stop_.get_token(), [&](ByteView document) {
      documents.emplace_back(document.begin(), document.end());
    });
    return documents;
  }

  // Takes a snapshot of one collection and reads it back, with its counts checked.
  std::vector<Bytes> RoundTrip(std::vector<Bytes> documents) {
    source_.Add("db", "c", std::move(documents));
    Take();
    const repo::Manifest manifest = Manifest();
    const repo::NamespaceEntry& entry = manifest.namespaces.at(0);
    std::vector<Bytes> read = Read(entry);
    ExpectCounts(entry, read);
    return read;
  }

  static void ExpectCounts(const repo::NamespaceEntry& entry, const std::vector<Bytes>& read) {
    repo::NamespaceDigest digest;
    std::uint64_t bytes = 0;
    for (const Bytes& document : read) {
      digest.Add(document);
      bytes += document.size();
    }
    EXPECT_EQ(entry.digest.documents, read.size());
    EXPECT_EQ(entry.digest, digest);
    EXPECT_EQ(entry.logical_bytes, bytes);
  }

  const repo::MasterKey key_{7};
  SystemRandom nonces_;  // several threads seal at once, and a SeededRandom is confined to one
  SeededRandom random_{1};
  ManualClock clock_{FromMicros(1'700'000'000'000'000)};
  std::unique_ptr<Log> log_ = MakeNullLog();
  std::unique_ptr<blob::BlobStore> store_ = blob::MakeMemoryStore();
  std::unique_ptr<repo::Repository> repository_;
  MemorySource source_;
  SnapshotOptions options_;
  std::stop_source stop_;
  Mutex mutex_;
  Progress progress_ TIDEMARK_GUARDED_BY(mutex_);
};

inline Bytes NumberedDocument(std::int64_t id, std::string_view text = "x") {
  bson::Builder builder;
  builder.Append("_id", id).Append("text", text);
  return builder.Finish();
}

// The value is what a later version of a document differs in.
inline Bytes MixedDocument(SeededRandom& random, std::int32_t version) {
  bson::Builder builder;
  const std::uint64_t number = random.Next();
  switch (number % 5) {
    case 0:
      builder.Append("_id", static_cast<std::int64_t>(random.Next()));
      break;
    case 1:
      builder.Append("_id", static_cast<double>(random.Next()) / 3);
      break;
    case 2:
      builder.Append("_id", RandomHex(random, 9));
      break;
    case 3:
      builder.AppendBinary("_id", AsBytes(RandomHex(random, 8)));
      break;
    default:
      builder.AppendDateTime("_id", static_cast<std::int64_t>(random.Next()));
  }
  builder.Append("version", version).Append("text", std::string(200 + number % 300, 'a'));
  return builder.Finish();
}

inline bool IdLess(const Bytes& a, const Bytes& b) {
  return bson::CompareValues(*bson::Document(a).Find("_id"), *bson::Document(b).Find("_id")) < 0;
}

}  // namespace tidemark::engine
