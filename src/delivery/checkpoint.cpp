#include "delivery/internal/checkpoint.h"

#include <charconv>
#include <sstream>
#include <vector>

#include <fmt/core.h>

#include "base/error.h"

namespace tidemark::delivery {
namespace {

constexpr std::string_view kWiped = "wiped";
constexpr std::string_view kBegun = "begun ";
constexpr std::string_view kClaimed = "claimed ";

[[noreturn]] void RefuseLine(const std::string& line) {
  throw Error(ErrorCode::kCorrupt, "reading a restore's checkpoint: bad line '" + line + "'");
}

std::vector<std::int64_t> ParseNumbers(const std::string& line) {
  std::vector<std::int64_t> numbers;
  const char* const end = line.data() + line.size();
  for (const char* at = line.data();; ++at) {
    std::int64_t number = 0;
    const auto [rest, error] = std::from_chars(at, end, number);
    if (error != std::errc() || number < 0 || (rest != end && *rest != ' ')) {
      RefuseLine(line);
    }
    numbers.push_back(number);
    at = rest;
    if (at == end) {
      return numbers;
    }
  }
}

// The one number after `word`.
std::size_t ParseNumber(const std::string& line, std::string_view word) {
  const std::vector<std::int64_t> numbers = ParseNumbers(line.substr(word.size()));
  if (numbers.size() != 1) {
    RefuseLine(line);
  }
  return static_cast<std::size_t>(numbers[0]);
}

}  // namespace

Checkpoint::Checkpoint(const engine::RunContext& run) : run_(run) {
  const MutexLock lock(mutex_);
  std::istringstream lines(run.checkpoint);
  for (std::string line; std::getline(lines, line);) {
    if (line == kWiped) {
      wiped_ = true;
    } else if (line.starts_with(kBegun)) {
      begun_.insert(ParseNumber(line, kBegun));
    } else if (line.starts_with(kClaimed)) {
      claimed_.insert(ParseNumber(line, kClaimed));
    } else {
      const std::vector<std::int64_t> numbers = ParseNumbers(line);
      if (numbers.size() != 1 && numbers.size() != 5) {
        RefuseLine(line);
      }
      domain::RestoreChanges& changes = finished_[static_cast<std::size_t>(numbers[0])];
      if (numbers.size() == 5) {
        changes = {numbers[1], numbers[2], numbers[3], numbers[4]};
      }
    }
  }
}

bool Checkpoint::IsWiped() {
  const MutexLock lock(mutex_);
  return wiped_;
}

bool Checkpoint::IsFinished(std::size_t ns) {
  const MutexLock lock(mutex_);
  return finished_.contains(ns);
}

bool Checkpoint::IsBegun(std::size_t ns) {
  const MutexLock lock(mutex_);
  return begun_.contains(ns);
}

bool Checkpoint::IsClaimed(std::size_t ns) {
  const MutexLock lock(mutex_);
  return claimed_.contains(ns);
}

void Checkpoint::MarkClaimed(std::size_t ns) {
  const MutexLock lock(mutex_);
  claimed_.insert(ns);
  Save();
}

void Checkpoint::TakeBackClaim(std::size_t ns) {
  const MutexLock lock(mutex_);
  claimed_.erase(ns);
  Save();
}

void Checkpoint::MarkBegun(std::size_t ns) {
  const MutexLock lock(mutex_);
  if (begun_.insert(ns).second) {
    Save();
  }
}

void Checkpoint::MarkWiped() {
  const MutexLock lock(mutex_);
  wiped_ = true;
  Save();
}

void Checkpoint::MarkFinished(std::size_t ns, const domain::RestoreChanges& changes) {
  const MutexLock lock(mutex_);
  finished_[ns] = changes;
  begun_.erase(ns);
  claimed_.erase(ns);
  Save();
}

domain::RestoreChanges Checkpoint::Changes() {
  const MutexLock lock(mutex_);
  domain::RestoreChanges sum;
  for (const auto& [ns, changes] : finished_) {
    sum += changes;
  }
  return sum;
}

// Under the lock, so that an older text never replaces a newer one.
void Checkpoint::Save() {
  if (!run_.save_checkpoint) {
    return;
  }
  std::string text;
  if (wiped_) {
    text.append(kWiped).append("\n");
  }
  for (const std::size_t ns : begun_) {
    text.append(kBegun).append(std::to_string(ns)).append("\n");
  }
  for (const std::size_t ns : claimed_) {
    text.append(kClaimed).append(std::to_string(ns)).append("\n");
  }
  for (const auto& [ns, changes] : finished_) {
    text += std::to_string(ns);
    if (changes != domain::RestoreChanges()) {
      text += fmt::format(
          " {} {} {} {}", changes.left_alone, changes.replaced, changes.inserted, changes.deleted);
    }
    text += '\n';
  }
  run_.save_checkpoint(text);
}

}  // namespace tidemark::delivery
