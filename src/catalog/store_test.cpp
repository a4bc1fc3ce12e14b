#include "catalog/store.h"

#include <fstream>

#include <sqlite3.h>

#include "base/bytes.h"
#include "base/c_handle.h"
#include "base/file.h"
#include "tests/conformance/store_collections_suite.h"
#include "tests/conformance/store_drills_suite.h"
#include "tests/conformance/store_exports_suite.h"
#include "tests/conformance/store_keys_suite.h"
#include "tests/conformance/store_protection_suite.h"
#include "tests/conformance/store_races_suite.h"
#include "tests/conformance/store_reads_suite.h"
#include "tests/conformance/store_scheduled_exports_suite.h"
#include "tests/conformance/store_schedules_suite.h"
#include "tests/conformance/store_suite.h"

namespace tidemark::catalog {
namespace {

const auto kSqlite =
    testing::Values(StoreDialect{"Sqlite", [](const std::filesystem::path& directory) {
                                   return OpenSqliteStore({.path = directory / "catalog.db"});
                                 }});
const auto kDialectName = [](const testing::TestParamInfo<StoreDialect>& info) {
  return info.param.name;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, StoreSuite, kSqlite, kDialectName);
INSTANTIATE_TEST_SUITE_P(Sqlite, DownloadSuite, kSqlite, kDialectName);
INSTANTIATE_TEST_SUITE_P(Sqlite, ExportSuite, kSqlite, kDialectName);
INSTANTIATE_TEST_SUITE_P(Sqlite, ScheduledExportSuite, kSqlite, kDialectName);
INSTANTIATE_TEST_SUITE_P(Sqlite, CollectionRestoreSuite, kSqlite, kDialectName);
INSTANTIATE_TEST_SUITE_P(Sqlite, StoreSchedules, kSqlite, kDialectName);
INSTANTIATE_TEST_SUITE_P(Sqlite, KeySuite, kSqlite, kDialectName);
INSTANTIATE_TEST_SUITE_P(Sqlite, StoreProtection, kSqlite, kDialectName);
INSTANTIATE_TEST_SUITE_P(Sqlite, StoreDrills, kSqlite, kDialectName);
INSTANTIATE_TEST_SUITE_P(Sqlite, StoreRaces, kSqlite, kDialectName);

INSTANTIATE_TEST_SUITE_P(Sqlite,
                         OutboxSuite,
                         testing::Values(StoreDialect{"Sqlite",
                                                      [](const std::filesystem::path& directory) {
                                                        return OpenSqliteStore(
                                                            {.path = directory / "catalog.db"});
                                                      }}),
                         [](const auto& info) { return info.param.name; });

class SqliteFile : public testing::Test {
 protected:
  SqliteFile() {
    std::string pattern = (std::filesystem::temp_directory_path() / "sqlite_file_XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    path_ = directory_ / "catalog.db";
  }

  ~SqliteFile() override { std::filesystem::remove_all(directory_); }

  CHandle<sqlite3, sqlite3_close> OpenRaw() {
    sqlite3* raw = nullptr;
    EXPECT_EQ(sqlite3_open(path_.c_str(), &raw), SQLITE_OK);
    return CHandle<sqlite3, sqlite3_close>(raw);
  }

  std::string OpenRefusal() {
    return Refusal([&] { OpenSqliteStore({.path = path_}); });
  }

  std::filesystem::path directory_;
  std::filesystem::path path_;
};

TEST_F(SqliteFile, IsReadableByItsOwnerOnly) {
  const auto store = OpenSqliteStore({.path = path_});
  using std::filesystem::perms;
  EXPECT_EQ(std::filesystem::status(path_).permissions(), perms::owner_read | perms::owner_write);
}

TEST_F(SqliteFile, OfANewerVersionIsRefused) {
  OpenSqliteStore({.path = path_}).reset();
  sqlite3_exec(OpenRaw().get(), "PRAGMA user_version = 99", nullptr, nullptr, nullptr);
  EXPECT_EQ(OpenRefusal(),
            "Unsupported: cannot open the catalog: its schema version 99 is newer than this "
            "program's 16");
}

// A file as the first release wrote it, with a restore in it.
TEST_F(SqliteFile, OfTheFirstVersionIsUpgraded) {
  const std::string id(24, '1');
  {
    const auto raw = OpenRaw();
    const Bytes file = ReadFile(
        std::filesystem::path(TIDEMARK_SOURCE_DIR) / "src/catalog/migrations/0001_initial.sql",
        1U << 20);
    const std::string schema(AsText(file));
    ASSERT_EQ(sqlite3_exec(raw.get(), schema.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
    const std::string rows = "PRAGMA foreign_keys = OFF; INSERT INTO restores VALUES ('" + id +
                             "', '" + id + "', '" + id + "', 'c0', '" + id + "', 0, 7, 1, 0, '" +
                             id + "', '" + id +
                             "', 'c1', 3, 0, 0, 0, '', NULL); PRAGMA user_version = 1";
    ASSERT_EQ(sqlite3_exec(raw.get(), rows.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
  }
  for (int opened = 0; opened < 2; ++opened) {
    const auto store = OpenSqliteStore({.path = path_});
    const domain::RestoreJob found = store->FindRestore(RestoreJobId::Parse(id).value()).value();
    EXPECT_EQ(found.target_name, "c1");
    EXPECT_EQ(found.scope, "");
    EXPECT_EQ(found.notes, "");
    EXPECT_FALSE(found.changes);
  }
}

// Accounts and tokens from before secrets had a table of their own go on working.
TEST_F(SqliteFile, OfTheFirstVersionKeepsItsKeys) {
  const Instant now{std::chrono::seconds{1'700'000'000}};
  {
    const auto raw = OpenRaw();
    const Bytes file = ReadFile(
        std::filesystem::path(TIDEMARK_SOURCE_DIR) / "src/catalog/migrations/0001_initial.sql",
        1U << 20);
    const std::string schema(AsText(file));
    ASSERT_EQ(sqlite3_exec(raw.get(), schema.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(raw.get(),
                           "INSERT INTO organizations VALUES ('000000000000000000000001', 'org');"
                           "INSERT INTO keys VALUES ('000000000000000000000002', "
                           "'000000000000000000000001', 1, 'account', '', x'616263', 7, NULL);"
                           "INSERT INTO keys VALUES ('000000000000000000000003', "
                           "'000000000000000000000001', 0, 'abcdefgh', '', x'646566', 7, NULL);"
                           "INSERT INTO grants VALUES ('000000000000000000000002', 0, 5, NULL, "
                           "'000000000000000000000004');"
                           "INSERT INTO tokens VALUES ('token', '000000000000000000000002', "
                           "1800000000000000); PRAGMA user_version = 1",
                           nullptr,
                           nullptr,
                           nullptr),
              SQLITE_OK);
  }
  const auto store = OpenSqliteStore({.path = path_});
  const KeyId account = KeyId::Parse("000000000000000000000002").value();
  const auto secret = store->FindClientSecret(account, "abc", now);
  ASSERT_TRUE(secret.has_value());
  EXPECT_FALSE(secret->expires);
  EXPECT_EQ(store->FindKeyByPublicName("account").value().sealed_secret, "");
  EXPECT_EQ(store->FindKeyByPublicName("abcdefgh").value().sealed_secret, "def");
  EXPECT_EQ(store->FindKeyByToken("token", now).value().grants.at(0).role,
            domain::Role::kGroupClusterManager);
  EXPECT_EQ(store->DeleteClientSecret(account, secret->id), KeyChange::kDone);
  EXPECT_FALSE(store->FindKeyByToken("token", now));
}

// What a statement that is not ours is told.
TEST_F(SqliteFile, HoldsWhatAPolicyPromisesWhoeverWrites) {
  const std::string id(24, '1');
  const auto store = OpenSqliteStore({.path = path_});
  const auto raw = OpenRaw();
  const auto run = [&](const std::string& statements) {
    const int result = sqlite3_exec(raw.get(), statements.c_str(), nullptr, nullptr, nullptr);
    return result == SQLITE_OK ? std::string() : std::string(sqlite3_errmsg(raw.get()));
  };
  ASSERT_EQ(run("PRAGMA foreign_keys = OFF; INSERT INTO organizations (id, name) VALUES ('" + id +
                "', 'o'); INSERT INTO projects (id, organization, name, created) VALUES ('" + id +
                "', '" + id + "', 'p', 0); INSERT INTO compliance_policies VALUES ('" + id +
                "', 'e', 'f', 'l', 0, 0, 'k', 1); INSERT INTO compliance_items VALUES ('" + id +
                "', 0, 6, 0, 7, '" + id + "', 604800000000)"),
            "");
  for (const std::string statement : {"DELETE FROM compliance_policies",
                                      "DELETE FROM compliance_items",
                                      "UPDATE compliance_items SET floor = floor - 1",
                                      "UPDATE compliance_items SET interval = 12",
                                      "UPDATE compliance_items SET frequency = 1",
                                      "UPDATE compliance_items SET id = '2'",
                                      "UPDATE projects SET deleted = 1"}) {
    EXPECT_THAT(run(statement), testing::StartsWith("protected: ")) << statement;
  }
  EXPECT_EQ(run("UPDATE compliance_items SET interval = 4, floor = floor + 1"), "");
}

// A file as it was before policies had ids, with a schedule and a snapshot of it.
TEST_F(SqliteFile, SchedulesGetIdsOnce) {
  const std::string id(24, '1');
  {
    const auto raw = OpenRaw();
    for (const auto* file : {"0001_initial",
                             "0002_restore_scope",
                             "0003_project_deletion",
                             "0004_downloads",
                             "0005_schedules",
                             "0006_imports",
                             "0007_audit_and_notices",
                             "0008_schedule_events"}) {
      const Bytes sql = ReadFile(std::filesystem::path(TIDEMARK_SOURCE_DIR) /
                                     "src/catalog/migrations" / (std::string(file) + ".sql"),
                                 1U << 20);
      const std::string schema(AsText(sql));
      ASSERT_EQ(sqlite3_exec(raw.get(), schema.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
    }
    const std::string rows =
        "PRAGMA foreign_keys = OFF; INSERT INTO schedules (cluster, enabled, reference_minute, "
        "keep_last, point_in_time_hours, checkpoint_minutes, attempt, settled, missed, "
        "missed_reason, verify_days, verified_ms, verify_failure, revision) VALUES ('" +
        id + "', 1, 5, 1, 24, 15, 0, 1, 0, '', 0, 0, '', 3); INSERT INTO schedule_items VALUES ('" +
        id + "', 0, 0, 6, 0, 2), ('" + id + "', 1, 1, 1, 0, 7); PRAGMA user_version = 8";
    ASSERT_EQ(sqlite3_exec(raw.get(), rows.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
  }
  const auto find = [&] {
    return OpenSqliteStore({.path = path_})->FindSchedule(ClusterId::Parse(id).value()).value();
  };
  const domain::Schedule schedule = find();
  EXPECT_FALSE(schedule.policy.IsZero());
  ASSERT_EQ(schedule.items.size(), 2U);
  EXPECT_FALSE(schedule.items[0].id.IsZero());
  EXPECT_NE(schedule.items[0].id, schedule.items[1].id);
  EXPECT_TRUE(schedule.extra.empty());
  const domain::Schedule again = find();
  EXPECT_EQ(again.policy, schedule.policy);
  EXPECT_EQ(again.items, schedule.items);
}

TEST_F(SqliteFile, ThatIsNoDatabaseIsCorrupt) {
  std::ofstream(path_) << std::string(8192, 'x');
  EXPECT_THAT(OpenRefusal(), testing::StartsWith("Corrupt: "));
}

TEST_F(SqliteFile, InAMissingFolderIsNotFound) {
  path_ = directory_ / "missing" / "catalog.db";
  EXPECT_THAT(OpenRefusal(), testing::StartsWith("NotFound: "));
}

TEST_F(SqliteFile, LockedByAnotherProcessIsUnavailable) {
  const auto store = OpenSqliteStore({.path = path_, .busy_timeout = std::chrono::milliseconds{1}});
  const auto raw = OpenRaw();
  ASSERT_EQ(sqlite3_exec(raw.get(), "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  EXPECT_EQ(Refusal([&] { store->BreakAllLeases(); }),
            "Unavailable: catalog statement failed: database is locked");
  ASSERT_EQ(sqlite3_exec(raw.get(), "ROLLBACK", nullptr, nullptr, nullptr), SQLITE_OK);
  store->BreakAllLeases();
}

TEST_F(SqliteFile, DamagedIdIsCorrupt) {
  const auto store = OpenSqliteStore({.path = path_});
  ASSERT_EQ(sqlite3_exec(OpenRaw().get(),
                         "INSERT INTO jobs VALUES ('nonsense', 0, '000000000000000000000001', 0, "
                         "'', NULL, 0, 0, '', '', 0, 0, 0, 0, 0, 0, 0)",
                         nullptr,
                         nullptr,
                         nullptr),
            SQLITE_OK);
  EXPECT_EQ(Refusal([&] {
              store->FindJobBySubject(ObjectId::Parse("000000000000000000000001").value());
            }),
            "Corrupt: catalog row is damaged: 'nonsense' is not an id");
}

}  // namespace
}  // namespace tidemark::catalog
