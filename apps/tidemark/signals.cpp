#include "signals.h"

#include <ctime>

namespace tidemark::app {

Signals::Signals() {
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGTERM);
  sigaddset(&signals_, SIGINT);
  sigaddset(&signals_, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

Signals::Kind Signals::Next(std::chrono::seconds limit) const {
  const timespec timeout{limit.count(), 0};
  const int received = sigtimedwait(&signals_, nullptr, &timeout);
  if (received == SIGHUP) {
    return Kind::kReload;
  }
  return received > 0 ? Kind::kStop : Kind::kNone;
}

}  // namespace tidemark::app
