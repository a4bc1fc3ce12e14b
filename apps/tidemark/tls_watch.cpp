#include "tls_watch.h"

#include <sys/stat.h>

#include "base/error.h"

namespace tidemark::app {
namespace {

constexpr std::chrono::hours kWarnBefore{24 *
                                         14};  // renewals that run by themselves are done by then
constexpr std::chrono::hours kWarnEvery{24};

}  // namespace

TlsWatch::TlsWatch(http::Server& server,
                   const http::ServerOptions& options,
                   const Clock& clock,
                   Log& log)
    : server_(server),
      certificate_file_(options.tls_certificate_file),
      key_file_(options.tls_key_file),
      clock_(clock),
      log_(log),
      seen_(StampOf()) {
  WarnOfTheEnd();
}

TlsWatch::Stamp TlsWatch::StampOf() const {
  Stamp stamp{};
  std::size_t at = 0;
  for (const std::string& file : {certificate_file_, key_file_}) {
    struct stat status{};
    if (!file.empty() && ::stat(file.c_str(), &status) == 0) {
      constexpr std::int64_t kNanos = 1000000000;
      stamp[at] = static_cast<std::int64_t>(status.st_ino);
      stamp[at + 1] = status.st_size;
      stamp[at + 2] = status.st_mtim.tv_sec * kNanos + status.st_mtim.tv_nsec;
    }
    at += 3;
  }
  return stamp;
}

void TlsWatch::Look() {
  if (certificate_file_.empty()) {
    return;
  }
  if (StampOf() != seen_) {
    Reload();
  }
  WarnOfTheEnd();
}

void TlsWatch::Reload() {
  if (certificate_file_.empty()) {
    return;
  }
  seen_ = StampOf();  // before they are read: a change from then on is seen next time
  try {
    server_.ReloadTls();
    warned_.reset();
    log_.Info("certificate={} ends={}  TLS certificate reloaded",
              certificate_file_,
              FormatInstant(server_.TlsEnds().value_or(Instant())));
  } catch (const Error& error) {
    log_.Warn("the TLS certificate before stays in use: {}", error.message());
  }
}

void TlsWatch::WarnOfTheEnd() {
  const auto ends = server_.TlsEnds();
  const Instant now = clock_.Now();
  if (!ends || *ends - now > kWarnBefore || (warned_ && now - *warned_ < kWarnEvery)) {
    return;
  }
  warned_ = now;
  log_.Warn("certificate={} ends={}  the TLS certificate {}",
            certificate_file_,
            FormatInstant(*ends),
            *ends <= now ? "is no longer valid: clients refuse it" : "ends soon");
}

}  // namespace tidemark::app
