#pragma once

#include <functional>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "catalog/store.h"
#include "repo/repository.h"

namespace tidemark::service {

// What every use case needs, owned by main. All of it must outlive the services.
struct Environment {
  catalog::Store& store;
  repo::Repository& repository;
  const Clock& clock;
  RandomSource& random;
  Log& log;
  std::function<void()> wake_runner;  // a job was queued
};

}  // namespace tidemark::service
