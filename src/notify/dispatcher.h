#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <stop_token>

#include "base/clock.h"
#include "base/log.h"
#include "base/mutex.h"
#include "catalog/outbox.h"
#include "notify/transport.h"

namespace tidemark::notify {

// After the first failed try, the second, and so on; the last one from then on.
inline constexpr std::array<std::chrono::seconds, 7> kPauses{std::chrono::seconds{10},
                                                             std::chrono::minutes{1},
                                                             std::chrono::minutes{5},
                                                             std::chrono::minutes{15},
                                                             std::chrono::hours{1},
                                                             std::chrono::hours{3},
                                                             std::chrono::hours{6}};
// Failed tries of one notice before it is given up: about 10 hours.
inline constexpr std::int64_t kMaxAttempts = 8;
// What has waited longer behind a channel that fails is given up without a try of its own.
inline constexpr std::chrono::hours kMaxAge{72};

// Settles events and delivers notices: at least once, those of one channel in their order, a
// channel that fails after growing pauses. One thread runs it, so a receiver that hangs delays
// others by the transport's timeout. Confined, but for Work's stop.
class Dispatcher {
 public:
  // Unseals what a channel needs. Throws when it cannot.
  using OpenFunction = std::function<OpenChannel(const domain::Channel&)>;

  struct Options {
    std::chrono::milliseconds poll{500};  // how often it looks for something to do
  };

  // All must outlive it.
  Dispatcher(catalog::Outbox& outbox,
             Transport& transport,
             OpenFunction open,
             const Clock& clock,
             Log& log,
             const Options& options)
      : outbox_(outbox),
        transport_(transport),
        open_(std::move(open)),
        clock_(clock),
        log_(log),
        options_(options) {}

  // The body of the thread; returns soon after `stop`. A catalog that cannot be used is asked again
  // later.
  void Work(const std::stop_token& stop) TIDEMARK_EXCLUDES(mutex_);
  // Settles events or tries one notice. False: nothing is to be done now.
  bool Step(const std::stop_token& stop);

 private:
  void Deliver(const catalog::Outbox::DueNotice& due, const std::stop_token& stop);
  void KeepFailure(const catalog::Outbox::DueNotice& due, std::string_view error);
  bool TryStep(const std::stop_token& stop);
  void Pause(const std::stop_token& stop) TIDEMARK_EXCLUDES(mutex_);

  catalog::Outbox& outbox_;
  Transport& transport_;
  const OpenFunction open_;
  const Clock& clock_;
  Log& log_;
  const Options options_;
  Mutex mutex_;
  CondVar stopped_;
};

}  // namespace tidemark::notify
