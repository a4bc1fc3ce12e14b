#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "http/server.h"

namespace tidemark::app {

// Lets a server take a renewed certificate without a restart. A pair that cannot be used leaves the
// old one in place, and the log says why; it is tried again when the files change once more.
// Confined.
class TlsWatch {
 public:
  // All must outlive it. Without TLS in `options` it does nothing.
  TlsWatch(http::Server& server, const http::ServerOptions& options, const Clock& clock, Log& log);

  // Reloads when the files have changed since they were looked at last, or when a day is left of
  // the certificate's life, warns. Blocks on the files.
  void Look();
  // Reloads whatever the files look like.
  void Reload();

 private:
  // What tells one content of the two files from another: inode, size, time of the last change.
  using Stamp = std::array<std::int64_t, 6>;

  Stamp StampOf() const;
  void WarnOfTheEnd();

  http::Server& server_;
  const std::string certificate_file_;
  const std::string key_file_;
  const Clock& clock_;
  Log& log_;
  Stamp seen_;
  std::optional<Instant> warned_;  // last time that the certificate's end was told
};

}  // namespace tidemark::app
