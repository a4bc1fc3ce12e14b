#include "notify/dispatcher.h"

#include <algorithm>

#include "base/error.h"

namespace tidemark::notify {
namespace {

std::chrono::seconds PauseAfter(std::int64_t failures) {
  const auto index = std::clamp<std::int64_t>(failures, 0, std::ssize(kPauses) - 1);
  return kPauses.at(static_cast<std::size_t>(index));
}

}  // namespace

void Dispatcher::Work(const std::stop_token& stop) {
  const std::stop_callback wake(stop, [this] {
    const MutexLock lock(mutex_);
    stopped_.NotifyAll();
  });
  while (!stop.stop_requested()) {
    if (!TryStep(stop)) {
      Pause(stop);
    }
  }
}

bool Dispatcher::TryStep(const std::stop_token& stop) {
  try {
    return Step(stop);
  } catch (const std::exception& error) {
    log_.Error("cannot look after notices: {}", error.what());
    return false;
  }
}

void Dispatcher::Pause(const std::stop_token& stop) {
  const Deadline deadline = std::chrono::steady_clock::now() + options_.poll;
  const MutexLock lock(mutex_);
  while (!stop.stop_requested()) {
    const auto left = deadline - std::chrono::steady_clock::now();
    if (left <= left.zero()) {
      return;
    }
    stopped_.WaitFor(mutex_, left);
  }
}

bool Dispatcher::Step(const std::stop_token& stop) {
  if (outbox_.SettleEvents() > 0) {
    return true;
  }
  const auto due = outbox_.FindDueNotice(clock_.Now());
  if (!due) {
    return false;
  }
  Deliver(*due, stop);
  return true;
}

void Dispatcher::Deliver(const catalog::Outbox::DueNotice& due, const std::stop_token& stop) {
  const domain::Notice& notice = due.notice;
  const Instant now = clock_.Now();
  if (due.channel.failures > 0 && now - notice.event.at > kMaxAge) {
    log_.Error("notice={} channel={}  given up: too old",
               domain::NoticeId(notice),
               due.channel.shown_address);
    outbox_.GiveUp(notice, "a notice waited for more than 3 days", now, now);
    return;
  }
  try {
    transport_.Send(open_(due.channel), MessageOf(notice), stop);
  } catch (const Error& error) {
    if (!stop.stop_requested()) {
      KeepFailure(due, error.message());
    }
    return;
  }
  // A crash before this line sends it again: at least once.
  outbox_.MarkDelivered(notice, clock_.Now());
  log_.Info("notice={} channel={}  delivered", domain::NoticeId(notice), due.channel.shown_address);
}

void Dispatcher::KeepFailure(const catalog::Outbox::DueNotice& due, std::string_view error) {
  const Instant now = clock_.Now();
  const Instant next_try = now + PauseAfter(due.channel.failures);
  if (due.notice.attempts + 1 < kMaxAttempts) {
    log_.Warn("notice={} channel={} attempt={}  not delivered: {}",
              domain::NoticeId(due.notice),
              due.channel.shown_address,
              due.notice.attempts + 1,
              error);
    outbox_.MarkFailed(due.notice, error, next_try);
    return;
  }
  log_.Error("notice={} channel={} attempt={}  given up: {}",
             domain::NoticeId(due.notice),
             due.channel.shown_address,
             due.notice.attempts + 1,
             error);
  outbox_.GiveUp(due.notice, error, now, next_try);
}

}  // namespace tidemark::notify
