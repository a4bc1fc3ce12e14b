#include "edge.h"

#include <utility>

#include <sys/resource.h>

namespace tidemark::app {
namespace {

constexpr std::chrono::seconds kLookEvery{10};
constexpr rlim_t kOtherDescriptors = 512;  // catalog, packs, connections to clusters

// Raises the limit of open files so that `connections` fit; says so when they do not.
void MakeRoomFor(std::size_t connections, Log& log) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return;
  }
  const rlim_t wanted = connections + kOtherDescriptors;
  if (limit.rlim_cur >= wanted) {
    return;
  }
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < wanted) {
    log.Warn(
        "max_connections={} open_files={}  more connections than the limit of open files allows; "
        "raise it "
        "(ulimit -n, LimitNOFILE)",
        connections,
        limit.rlim_cur);
  }
}

http::ServerOptions WithAccessLog(http::ServerOptions options, http::AccessLog* access_log) {
  options.access_log = access_log;
  return options;
}

}  // namespace

Edge::Edge(http::ServerOptions options,
           const std::string& access_log,
           http::Handler handler,
           const Clock& clock,
           RandomSource& random,
           Log& log)
    : access_file_(access_log.empty() ? nullptr : std::make_unique<AccessFile>(access_log, log)),
      options_(WithAccessLog(std::move(options), access_file_.get())),
      server_((MakeRoomFor(options_.max_connections, log),
               http::Server::Start(options_, std::move(handler), log, random))),
      tls_watch_(*server_, options_, clock, log) {
  log.Info("address={} port={}  serving", options_.address, server_->port());
}

void Edge::RunUntilStopped(const Signals& signals) {
  for (;;) {
    switch (signals.Next(kLookEvery)) {
      case Signals::Kind::kStop:
        return;
      case Signals::Kind::kReload:
        if (access_file_) {
          access_file_->Reopen();
        }
        tls_watch_.Reload();
        break;
      case Signals::Kind::kNone:
        tls_watch_.Look();
        break;
    }
  }
}

}  // namespace tidemark::app
