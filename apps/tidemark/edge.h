#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "access_file.h"
#include "base/clock.h"
#include "http/server.h"
#include "signals.h"
#include "tls_watch.h"

namespace tidemark::app {

// The listener with what belongs to it: access log, certificate, limit of descriptors. Confined.
class Edge {
 public:
  // Serves at once; throws what Server::Start and AccessFile throw. `access_log`: AccessFile's
  // path; none when it is empty. All that is borrowed must outlive it.
  Edge(http::ServerOptions options,
       const std::string& access_log,
       http::Handler handler,
       const Clock& clock,
       RandomSource& random,
       Log& log);

  // Blocks until SIGTERM or SIGINT. Takes a changed certificate from its files every few seconds;
  // SIGHUP does so at once and makes the access log go on in a new file.
  void RunUntilStopped(const Signals& signals);

  // As Server::Stop.
  void Stop(std::chrono::seconds grace) { server_->Stop(grace); }

 private:
  std::unique_ptr<AccessFile> access_file_;  // none: no access log
  http::ServerOptions options_;
  std::unique_ptr<http::Server> server_;
  TlsWatch tls_watch_;
};

}  // namespace tidemark::app
