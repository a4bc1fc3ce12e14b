// Migration 0010 makes the tables of jobs and events anew: what is in them has to stay.
#include <array>

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "base/bytes.h"
#include "base/file.h"
#include "catalog/store.h"
#include "tests/support/raw_catalog.h"

namespace tidemark::catalog {
namespace {

constexpr std::array kBefore{"0001_initial.sql",
                             "0002_restore_scope.sql",
                             "0003_project_deletion.sql",
                             "0004_downloads.sql",
                             "0005_schedules.sql",
                             "0006_imports.sql",
                             "0007_audit_and_notices.sql",
                             "0008_schedule_events.sql",
                             "0009_policy_schedules.sql"};

class ExportMigration : public testing::Test {
 protected:
  ExportMigration() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "export_migration_XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    path_ = directory_ / "catalog.db";
    for (const char* name : kBefore) {
      const Bytes file = ReadFile(
          std::filesystem::path(TIDEMARK_SOURCE_DIR) / "src/catalog/migrations" / name, 1U << 20);
      EXPECT_TRUE(RunRawSql(path_, std::string(AsText(file)))) << name;
    }
    EXPECT_TRUE(RunRawSql(path_, "PRAGMA user_version = 9"));
  }

  ~ExportMigration() override { std::filesystem::remove_all(directory_); }

  // The number that the query gives.
  std::int64_t Number(const std::string& sql) {
    sqlite3* raw = nullptr;
    sqlite3_open(path_.c_str(), &raw);
    const CHandle<sqlite3, sqlite3_close> handle(raw);
    std::int64_t number = -1;
    const auto keep = [](void* to, int, char** values, char**) {
      *static_cast<std::int64_t*>(to) = std::stoll(values[0]);
      return 0;
    };
    EXPECT_EQ(sqlite3_exec(raw, sql.c_str(), keep, &number, nullptr), SQLITE_OK) << sql;
    return number;
  }

  std::filesystem::path directory_;
  std::filesystem::path path_;
};

TEST_F(ExportMigration, JobsStay) {
  const std::string id(24, 'a');
  const std::string subject(24, 'b');
  ASSERT_TRUE(RunRawSql(path_,
                        "INSERT INTO jobs VALUES ('" + id + "', 1, '" + subject +
                            "', 0, '', NULL, 7, 2, X'0001', 'loading', 1, 2, 3, 4, 5, 6, 99)"));
  const auto store = OpenSqliteStore({.path = path_});
  const auto job = store->FindJobBySubject(*ObjectId::Parse(subject)).value();
  EXPECT_EQ(job.id.ToString(), id);
  EXPECT_EQ(job.kind, domain::JobKind::kRestore);
  EXPECT_EQ(job.fence, 7);
  EXPECT_EQ(job.attempts, 2);
  EXPECT_EQ(job.checkpoint, std::string("\0\1", 2));
  EXPECT_EQ(job.progress.collections_total, 6U);
  EXPECT_EQ(store->ClaimJob("node", FromMicros(100), std::chrono::seconds(1)).value().fence, 8);
}

TEST_F(ExportMigration, EventsStayAndTheirNumbersGoOn) {
  ASSERT_TRUE(RunRawSql(
      path_,
      "INSERT INTO events (kind, at, project, cluster, object, reason) VALUES (1, 5, 'p', 'c', "
      "'o', 'r'), (2, 6, 'p', 'c', 'o', ''), (3, 7, 'p', 'c', 'o', ''); DELETE FROM events WHERE "
      "number > 1"));
  OpenSqliteStore({.path = path_}).reset();
  EXPECT_EQ(Number("SELECT count(*) FROM events WHERE number = 1 AND kind = 1 AND at = 5"), 1);
  ASSERT_TRUE(RunRawSql(path_,
                        "INSERT INTO events (kind, at, project, cluster, object, reason) VALUES "
                        "(9, 8, 'p', 'c', 'o', '')"));
  EXPECT_EQ(Number("SELECT max(number) FROM events"), 4);
}

TEST_F(ExportMigration, TriggersWriteToTheNewTable) {
  OpenSqliteStore({.path = path_}).reset();
  EXPECT_EQ(Number("SELECT count(*) FROM sqlite_schema WHERE sql LIKE '%of_any_kind%'"), 0);
  EXPECT_EQ(Number("SELECT count(*) FROM sqlite_schema WHERE name = 'snapshot_ended'"), 1);
  EXPECT_EQ(Number("SELECT count(*) FROM sqlite_schema WHERE name = 'jobs_to_do'"), 1);
}

TEST_F(ExportMigration, ChannelsThatWantEverythingWantExports) {
  const auto channel = [](const std::string& id, int events) {
    return "INSERT INTO channels VALUES ('" + id + "', 'p', 0, 'a', X'00', X'', '', '', '', " +
           std::to_string(events) + ", 0, 0, 0, '', NULL);";
  };
  ASSERT_TRUE(
      RunRawSql(path_, "PRAGMA foreign_keys = OFF; " + channel("all", 106) + channel("some", 2)));
  OpenSqliteStore({.path = path_}).reset();
  EXPECT_EQ(Number("SELECT events FROM channels WHERE id = 'all'"), 106 + 512);
  EXPECT_EQ(Number("SELECT events FROM channels WHERE id = 'some'"), 2);
}

}  // namespace
}  // namespace tidemark::catalog
