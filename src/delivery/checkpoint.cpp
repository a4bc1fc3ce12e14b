#include "delivery/internal/checkpoint.h"

#include <charconv>
#include <sstream>

#include "base/error.h"

namespace tidemark::delivery {
namespace {

constexpr std::string_view kWiped = "wiped";

std::size_t ParseNumber(const std::string& line) {
  std::size_t number = 0;
  const char* end = line.data() + line.size();
  const auto [rest, error] = std::from_chars(line.data(), end, number);
  if (error != std::errc() || rest != end) {
    throw Error(ErrorCode::kCorrupt, "reading a restore's checkpoint: bad line '" + line + "'");
  }
  return number;
}

}  // namespace

Checkpoint::Checkpoint(const engine::RunContext& run) : run_(run) {
  const MutexLock lock(mutex_);
  std::istringstream lines(run.checkpoint);
  for (std::string line; std::getline(lines, line);) {
    if (line == kWiped) {
      wiped_ = true;
    } else {
      finished_.insert(ParseNumber(line));
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

void Checkpoint::MarkWiped() {
  const MutexLock lock(mutex_);
  wiped_ = true;
  Save();
}

void Checkpoint::MarkFinished(std::size_t ns) {
  const MutexLock lock(mutex_);
  finished_.insert(ns);
  Save();
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
  for (const std::size_t ns : finished_) {
    text += std::to_string(ns) + "\n";
  }
  run_.save_checkpoint(text);
}

}  // namespace tidemark::delivery
