#include "exporter/export.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bson/parse_json.h"
#include "exporter/object_keys.h"
#include "objectstore/s3.h"
#include "tests/support/archive_fixture.h"
#include "tests/support/s3_server.h"

namespace tidemark::exporter {
namespace {

using engine::NumberedDocument;
using testing::ElementsAre;
using testing::HasSubstr;

class ExportTest : public archive::ArchiveFixture {
 protected:
  ExportTest() {
    bucket_ = objectstore::OpenS3Bucket({.endpoint = server_.endpoint(),
                                         .region = objectstore::S3Server::kRegion,
                                         .bucket = "bucket",
                                         .access_key = objectstore::S3Server::kAccessKey,
                                         .secret_key = Secret(objectstore::S3Server::kSecretKey)},
                                        {.may_connect = [](const sockaddr&) { return true; },
                                         .part_size = KiB(64),
                                         .attempts = 2,
                                         .first_pause = std::chrono::milliseconds(1)},
                                        clock_,
                                        *log_);
    export_.prefix = "exported_snapshots/o/p/c0/2026-11-25T1000/1764064800";
    export_.shard_name = "rs0";
    export_.facts = {.organization_id = "o",
                     .organization_name = "Acme \"Inc\"",
                     .project_id = "p",
                     .project_name = "Project0",
                     .cluster_id = "c",
                     .cluster_name = "c0",
                     .snapshot_time = clock_.Now(),
                     .custom_data = R"([{"key":"k","value":"v"}])"};
  }

  ExportSummary Run(const std::string& checkpoint = {}) {
    engine::RunContext context = Context();
    context.checkpoint = checkpoint;
    context.save_checkpoint = [this](const std::string& text) {
      checkpoints_.push_back(text);
      if (checkpoints_.size() == fail_at_checkpoint_) {
        throw Error(ErrorCode::kCancelled, "the lease is lost");
      }
    };
    return RunExport(manifest_, *reader_, *bucket_, export_, context);
  }

  // Keys below the prefix, with their bytes.
  std::map<std::string, std::string> Exported() {
    std::map<std::string, std::string> objects;
    for (const auto& [key, bytes] : server_.Objects()) {
      if (key.starts_with(export_.prefix + "/")) {
        objects[key.substr(export_.prefix.size() + 1)] = bytes;
      }
    }
    return objects;
  }

  // The documents of one file.
  static std::vector<Bytes> Documents(const std::string& packed) {
    const Bytes plain = archive::Gunzip(AsBytes(packed));
    std::string_view lines = AsText(plain);
    std::vector<Bytes> documents;
    while (!lines.empty()) {
      const std::size_t end = lines.find('\n');
      documents.push_back(bson::ParseJson(lines.substr(0, end)));
      lines.remove_prefix(end + 1);
    }
    return documents;
  }

  objectstore::S3Server server_{"bucket"};
  std::unique_ptr<objectstore::Bucket> bucket_;
  ExportOptions export_;
  std::vector<std::string> checkpoints_;
  std::size_t fail_at_checkpoint_ = 0;
};

std::vector<Bytes> Numbered(int count, std::string_view text = "x") {
  std::vector<Bytes> documents;
  for (int i = 0; i < count; ++i) {
    documents.push_back(NumberedDocument(i, text));
  }
  return documents;
}

TEST_F(ExportTest, WritesWhatAtlasWrites) {
  source_.Add("shop", "orders", Numbered(3));
  source_.Add("shop", "a/b%2F", Numbered(2));
  source_.Add("shop", "empty", {});
  TakeOne();
  const ExportSummary summary = Run();
  const auto objects = Exported();
  std::vector<std::string> keys;
  for (const auto& [key, bytes] : objects) {
    keys.push_back(key);
  }
  EXPECT_THAT(keys,
              testing::UnorderedElementsAre(".complete",
                                            "shop/orders/metadata.json",
                                            "shop/orders/rs0.0.json.gz",
                                            "shop/a%2Fb%252F/metadata.json",
                                            "shop/a%2Fb%252F/rs0.0.json.gz",
                                            "shop/empty/metadata.json"));
  EXPECT_EQ(summary.files, 5U);
  EXPECT_EQ(summary.documents, 5U);
  EXPECT_EQ(Documents(objects.at("shop/orders/rs0.0.json.gz")), Numbered(3));
  EXPECT_THAT(objects.at("shop/a%2Fb%252F/metadata.json"),
              HasSubstr(R"("collectionName":"a/b%2F")"));
  EXPECT_EQ(objects.at(".complete"),
            R"({"orgId":"o","orgName":"Acme \"Inc\"","groupId":"p","groupName":"Project0",)"
            R"("clusterUniqueId":"c","clusterName":"c0","snapshotInitiationDate":)"
            R"("2023-11-14T22:13:20Z","totalFiles":5,"labels":[],)"
            R"("customData":[{"key":"k","value":"v"}]})");
  EXPECT_TRUE(server_.Objects().contains(std::string(kPermissionCheck)));
  EXPECT_EQ(LastProgress().collections_done, 3U);
}

TEST_F(ExportTest, LargeCollectionsBecomeSeveralFilesInParts) {
  std::vector<Bytes> documents;
  for (int i = 0; i < 12'000; ++i) {  // about 9 MiB that hardly compress
    documents.push_back(NumberedDocument(i, RandomHex(random_, 350)));
  }
  source_.Add("db", "large", documents);
  TakeOne();
  export_.object_size = KiB(1024);
  Run();
  const auto objects = Exported();
  std::vector<Bytes> read;
  int files = 0;
  while (objects.contains("db/large/rs0." + std::to_string(files) + ".json.gz")) {
    for (Bytes& document :
         Documents(objects.at("db/large/rs0." + std::to_string(files) + ".json.gz"))) {
      read.push_back(std::move(document));
    }
    ++files;
  }
  EXPECT_GE(files, 3);
  EXPECT_TRUE(read == documents);
  EXPECT_EQ(server_.OpenUploads(), 0U);
}

TEST_F(ExportTest, CompleteIsWrittenLast) {
  source_.Add("db", "a", Numbered(1));
  source_.Add("db", "b", Numbered(1));
  TakeOne();
  Run();
  const auto log = server_.Log();
  EXPECT_EQ(log.back(), "HEAD /bucket/" + export_.prefix + "/.complete");  // its reading back
}

TEST_F(ExportTest, CompleteThatCannotBeReadBackGoes) {
  source_.Add("db", "a", Numbered(1));
  TakeOne();
  std::atomic<int> asked{0};
  server_.intercept = [&](const objectstore::S3Seen& seen) -> std::optional<objectstore::S3Answer> {
    const bool is_complete = seen.target.ends_with("/.complete");
    return is_complete && seen.method == "HEAD" && ++asked > 0
               ? std::optional(objectstore::S3Answer{.status = 500})
               : std::nullopt;
  };
  EXPECT_THROW(Run(), Error);
  EXPECT_EQ(asked, 2);
  EXPECT_FALSE(Exported().contains(".complete"));
  EXPECT_TRUE(Exported().contains("db/a/metadata.json"));
}

TEST_F(ExportTest, GoesOnBehindTheLastFinishedCollection) {
  source_.Add("db", "a", Numbered(10));
  source_.Add("db", "b", Numbered(20));
  TakeOne();
  fail_at_checkpoint_ = 2;  // behind "a"
  EXPECT_THROW(Run(), Error);
  EXPECT_FALSE(Exported().contains(".complete"));
  fail_at_checkpoint_ = 0;
  const std::size_t before = server_.Log().size();
  const ExportSummary summary = Run(checkpoints_.back());
  EXPECT_EQ(summary.files, 4U);
  EXPECT_EQ(summary.documents, 30U);
  const auto log = server_.Log();
  for (std::size_t i = before; i < log.size(); ++i) {
    EXPECT_THAT(log[i], testing::Not(HasSubstr("/db/a/")));
  }
  EXPECT_THAT(Exported().at(".complete"), HasSubstr(R"("totalFiles":4)"));
}

// Another version may have cut the collection into more files.
TEST_F(ExportTest, FilesOfTheInterruptedRunThatAreNoLongerMadeGo) {
  source_.Add("db", "a", Numbered(10));
  TakeOne();
  fail_at_checkpoint_ = 1;
  EXPECT_THROW(Run(), Error);
  fail_at_checkpoint_ = 0;
  server_.SetObject(export_.prefix + "/db/a/rs0.1.json.gz", "old");
  server_.SetObject(export_.prefix + "/db/a/rs0.2.json.gz", "old");
  Run(checkpoints_.back());
  EXPECT_FALSE(Exported().contains("db/a/rs0.1.json.gz"));
  EXPECT_FALSE(Exported().contains("db/a/rs0.2.json.gz"));
}

TEST_F(ExportTest, DamagedSnapshotGetsNoComplete) {
  source_.Add("db", "a", Numbered(10));
  TakeOne();
  manifest_.namespaces[0].digest.sum[0] ^= 1;
  try {
    Run();
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kCorrupt);
    EXPECT_THAT(std::string(error.message()), HasSubstr("packing db.a"));
  }
  EXPECT_THAT(Exported(), testing::Not(testing::Contains(testing::Key(".complete"))));
}

TEST_F(ExportTest, FailingBucketEndsItWithoutComplete) {
  source_.Add("db", "a", Numbered(10));
  TakeOne();
  server_.intercept = [](const objectstore::S3Seen& seen) -> std::optional<objectstore::S3Answer> {
    if (seen.target.ends_with(".json.gz") && seen.method == "PUT") {
      return objectstore::S3Answer{403, "<Error><Code>AccessDenied</Code></Error>", ""};
    }
    return std::nullopt;
  };
  try {
    Run();
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kPermissionDenied);
  }
  EXPECT_FALSE(Exported().contains(".complete"));
}

TEST_F(ExportTest, StopEndsIt) {
  source_.Add("db", "a", Numbered(10));
  TakeOne();
  stop_.request_stop();
  EXPECT_THROW(Run(), Error);
  EXPECT_TRUE(Exported().empty());
}

// Where nobody may list uploads an export works all the same.
TEST_F(ExportTest, AbandonedUploadsNeedNotBeListed) {
  source_.Add("db", "a", Numbered(1));
  TakeOne();
  server_.intercept = [](const objectstore::S3Seen& seen) -> std::optional<objectstore::S3Answer> {
    if (seen.method == "GET") {
      return objectstore::S3Answer{403, "<Error><Code>AccessDenied</Code></Error>", ""};
    }
    return std::nullopt;
  };
  Run();
  EXPECT_TRUE(Exported().contains(".complete"));
}

}  // namespace
}  // namespace tidemark::exporter
