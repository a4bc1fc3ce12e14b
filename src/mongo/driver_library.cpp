#include "mongo/driver_library.h"

#include <array>
#include <cstdio>

#include <mongoc/mongoc.h>
#include <sys/mman.h>
#include <unistd.h>

namespace tidemark::mongo {

void SilenceDriver() noexcept {
  mongoc_log_set_handler(nullptr, nullptr);
}

void UnlinkDriverCounters() noexcept {
  // "/mongoc-" and eleven digits at most.
  std::array<char, 24> name{};
  std::snprintf(name.data(), name.size(), "/mongoc-%d", static_cast<int>(getpid()));
  shm_unlink(name.data());  // That it is not there is well.
}

}  // namespace tidemark::mongo
