// What somebody with the file in hands can do to the audit log, and that it is found.
#include <sqlite3.h>

#include "base/c_handle.h"
#include "tests/conformance/store_fixture.h"

namespace tidemark::catalog {
namespace {

class AuditFile : public testing::Test {
 protected:
  AuditFile() {
    std::string pattern = (std::filesystem::temp_directory_path() / "audit_file_XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    path_ = directory_ / "catalog.db";
    store_ = OpenSqliteStore({.path = path_});
    for (int i = 1; i <= 5; ++i) {
      store_->AppendAudit(NewEntry("abcdefgh", "op" + std::to_string(i)));
    }
    sqlite3* raw = nullptr;
    EXPECT_EQ(sqlite3_open(path_.c_str(), &raw), SQLITE_OK);
    raw_.reset(raw);
  }

  ~AuditFile() override {
    raw_.reset();
    store_.reset();
    std::filesystem::remove_all(directory_);
  }

  // The refusal's words; "" when the statement was carried out.
  std::string Run(const std::string& sql) {
    return sqlite3_exec(raw_.get(), sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK
               ? ""
               : sqlite3_errmsg(raw_.get());
  }

  void Tamper(const std::string& sql) {
    ASSERT_EQ(Run("DROP TRIGGER audit_only_grows; DROP TRIGGER audit_is_not_changed; "
                  "DROP TRIGGER audit_is_not_deleted"),
              "");
    ASSERT_EQ(Run(sql), "");
  }

  std::optional<std::int64_t> BrokenAt() { return store_->VerifyAudit({}, {}).broken_at; }

  std::filesystem::path directory_;
  std::filesystem::path path_;
  std::unique_ptr<Store> store_;
  CHandle<sqlite3, sqlite3_close> raw_;
};

TEST_F(AuditFile, RowsAreNeitherChangedNorDeletedNorReplaced) {
  EXPECT_EQ(Run("UPDATE audit SET actor = 'x' WHERE number = 2"), "the audit log is not changed");
  EXPECT_EQ(Run("DELETE FROM audit WHERE number = 5"), "the audit log is not deleted");
  const std::string grows = "the audit log only grows at its end";
  const std::string copy = "INTO audit SELECT * FROM audit WHERE number = 2";
  EXPECT_EQ(Run("INSERT OR REPLACE " + copy), grows);
  EXPECT_EQ(Run("INSERT " + copy), grows);
  EXPECT_EQ(store_->VerifyAudit({}, {}).rows, 5);
  EXPECT_FALSE(BrokenAt());
}

TEST_F(AuditFile, ChangedMembersAreFound) {
  Tamper("CREATE TABLE kept AS SELECT * FROM audit");
  for (const char* change : {"at = at + 1",
                             "phase = 0",
                             "begun = 1",
                             "request = ''",
                             "actor = 'x'",
                             "address = ''",
                             "operation = 'x'",
                             "project = '32b6e34b3d91647abb20e7b8'",
                             "cluster = 'c1'",
                             "object = ''",
                             "status = 200",
                             "error_code = 'x'",
                             "skipped = 1",
                             "hash = ''"}) {
    ASSERT_EQ(Run("UPDATE audit SET " + std::string(change) + " WHERE number = 3"), "");
    EXPECT_EQ(BrokenAt(), 3) << change;
    EXPECT_EQ(store_->VerifyAudit({}, {}).rows, 2) << change;
    ASSERT_EQ(Run("DELETE FROM audit; INSERT INTO audit SELECT * FROM kept"), "");
    ASSERT_FALSE(BrokenAt());
  }
}

// The model: every row that has ended, newest first.
TEST_F(AuditFile, PagesAreRightWhereverTheyLie) {
  const ProjectId project = *ProjectId::Parse("32b6e34b3d91647abb20e7b8");
  ASSERT_EQ(Run("WITH RECURSIVE n(i) AS (SELECT 6 UNION ALL SELECT i + 1 FROM n WHERE i < 6500) "
                "INSERT INTO audit SELECT i, i, i % 5 > 0, NULL, '', 'a', '', 'o', "
                "CASE WHEN i % 2 THEN '" +
                project.ToString() + "' END, '', '', 200, '', 0, '' FROM n"),
            "");
  std::vector<std::int64_t> all;
  std::vector<std::int64_t> of_project;
  for (std::int64_t i = 6500; i >= 1; --i) {
    if (i > 5 && i % 5 == 0) {
      continue;
    }
    all.push_back(i);
    if (i > 5 && i % 2 != 0) {
      of_project.push_back(i);
    }
  }
  const auto check = [&](const AuditFilter& filter,
                         const std::vector<std::int64_t>& wanted,
                         const domain::Page& page) {
    const auto listing = store_->ListAudit(filter, page);
    const auto rows = static_cast<std::int64_t>(wanted.size());
    const std::int64_t begin = std::min(page.Offset(), rows);
    std::vector<std::int64_t> numbers;
    for (const domain::AuditEntry& row : listing.rows) {
      numbers.push_back(row.number);
    }
    EXPECT_EQ(listing.total, rows);
    EXPECT_EQ(
        numbers,
        std::vector(wanted.begin() + begin, wanted.begin() + std::min(begin + page.size, rows)))
        << "page " << page.number << " of " << page.size;
  };
  for (const std::int64_t number : {1, 2, 3, 10, 11, 12, 53, 54}) {
    check({}, all, {.number = number, .size = 100});
    check({.project = project}, of_project, {.number = number, .size = 100});
  }
  for (const std::int64_t number : {1, 200, 201, 1200, 1201, 2600, 5200, 5201, 5202}) {
    check({}, all, {.number = number, .size = 1});
    check({.project = project}, of_project, {.number = number, .size = 1});
  }
}

TEST_F(AuditFile, MissingRowIsFound) {
  Tamper("DELETE FROM audit WHERE number = 2");
  EXPECT_EQ(BrokenAt(), 2);
}

TEST_F(AuditFile, SwappedRowsAreFound) {
  Tamper(
      "UPDATE audit SET number = 30 WHERE number = 3; UPDATE audit SET number = 3 WHERE number = "
      "4; UPDATE audit SET number = 4 WHERE number = 30");
  EXPECT_EQ(BrokenAt(), 3);
}

TEST_F(AuditFile, CutEndIsFoundByAnAnchorOnly) {
  const domain::AuditEntry last = store_->ListAudit({}, {}).rows.at(0);
  Tamper("DELETE FROM audit WHERE number > 3");
  EXPECT_FALSE(BrokenAt());
  EXPECT_EQ(store_->VerifyAudit(AuditAnchor{last.number, last.hash}, {}).broken_at, 4);
}

}  // namespace
}  // namespace tidemark::catalog
