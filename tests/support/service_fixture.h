#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include <gtest/gtest.h>

#include "base/random.h"
#include "blob/blob_store.h"
#include "catalog/store.h"
#include "repo/repository.h"
#include "service/access_service.h"
#include "service/environment.h"

namespace tidemark::service {

// What services stand on: a catalog in a temporary directory, a repository in memory, a clock that
// stands still, and an organization with its first key and project.
class ServiceFixture : public testing::Test {
 protected:
  ServiceFixture() {
    const repo::MasterKey master{1, 2, 3};
    repo::Repository::Create(*blobs_, master, random_);
    repository_ = repo::Repository::Open(*blobs_, master, random_);
    directory_ =
        std::filesystem::temp_directory_path() / ("service_test-" + RandomHex(system_random_, 8));
    std::filesystem::create_directories(directory_);
    store_ = catalog::OpenSqliteStore({.path = directory_ / "catalog.sqlite"});
    environment_.emplace(Environment{*store_, *repository_, clock_, random_, *log_, [] {}});
    access_.emplace(*environment_);
    first_ = access_->Initialize("Acme", "Project0");
  }

  ~ServiceFixture() override {
    store_.reset();
    std::filesystem::remove_all(directory_);
  }

  ManualClock clock_{*ParseInstant("2026-11-25T10:00:00Z")};
  SeededRandom random_{7};
  SystemRandom system_random_;
  std::unique_ptr<Log> log_ = MakeNullLog();
  std::unique_ptr<blob::BlobStore> blobs_ = blob::MakeMemoryStore();
  std::unique_ptr<repo::Repository> repository_;
  std::filesystem::path directory_;
  std::unique_ptr<catalog::Store> store_;
  std::optional<Environment> environment_;
  std::optional<AccessService> access_;
  AccessService::Bootstrap first_;
};

}  // namespace tidemark::service
