#include "tests/support/memory/faults.h"

#include <algorithm>
#include <array>
#include <utility>

#include "tests/support/memory/command_error.h"
#include "tests/support/memory/values.h"

namespace tidemark::memory {
namespace {

struct ActionName {
  std::string_view name;
  FaultAction action;
};

constexpr std::array kActions{
    ActionName{"failCommand", FaultAction::kFail},
    ActionName{"refuseDocuments", FaultAction::kRefuseDocuments},
    ActionName{"dropConnection", FaultAction::kDropConnection},
    ActionName{"dropAfterwards", FaultAction::kDropAfterwards},
    ActionName{"delay", FaultAction::kDelay},
    ActionName{"killCursor", FaultAction::kKillCursor},
    ActionName{"hold", FaultAction::kHold},
    ActionName{"unreplicated", FaultAction::kUnreplicated},
};

bool Matches(const Fault& fault, std::string_view command, std::string_view ns, Access access) {
  const bool named = fault.commands.empty()
                         ? access == Access::kWrite
                         : std::ranges::find(fault.commands, command) != fault.commands.end();
  return named && (fault.ns.empty() || fault.ns == ns);
}

std::vector<std::string> Texts(const bson::Document& array) {
  std::vector<std::string> texts;
  for (const bson::Element& element : array) {
    texts.emplace_back(element.AsString().value_or(""));
  }
  return texts;
}

}  // namespace

Fault FullDisk() {
  return {.action = FaultAction::kFail,
          .times = -1,
          .code = 14031,
          .code_name = "OutOfDiskSpace",
          .message = "No space left on device"};
}

void Faults::Add(Fault fault) {
  if (fault.action == FaultAction::kKillCursor && fault.commands.empty()) {
    fault.commands = {"getMore"};
  }
  const MutexLock lock(mutex_);
  faults_.push_back(std::move(fault));
}

void Faults::DropAfterBytes(std::uint64_t bytes) {
  const MutexLock lock(mutex_);
  bytes_left_ = bytes;
}

void Faults::Clear() {
  const MutexLock lock(mutex_);
  faults_.clear();
  bytes_left_.reset();
  hook_ = nullptr;
}

void Faults::SetHook(Hook hook) {
  const MutexLock lock(mutex_);
  hook_ = std::move(hook);
}

std::vector<Fault> Faults::Meet(std::string_view command, std::string_view ns, Access access) {
  Hook hook;
  std::vector<Fault> met;
  {
    const MutexLock lock(mutex_);
    hook = hook_;
    for (Fault& fault : faults_) {
      if (!Matches(fault, command, ns, access) || fault.times == 0) {
        continue;
      }
      if (fault.skip > 0) {
        --fault.skip;
        continue;
      }
      fault.times -= fault.times > 0 ? 1 : 0;
      met.push_back(fault);
    }
  }
  if (hook) {
    hook(command, ns);
  }
  return met;
}

bool Faults::IsHolding() {
  const MutexLock lock(mutex_);
  return std::ranges::find(faults_, FaultAction::kHold, &Fault::action) != faults_.end();
}

std::uint64_t Faults::TakeBytes(std::uint64_t bytes) {
  const MutexLock lock(mutex_);
  if (!bytes_left_.has_value()) {
    return bytes;
  }
  const std::uint64_t allowed = std::min(*bytes_left_, bytes);
  *bytes_left_ -= allowed;
  if (allowed < bytes) {
    bytes_left_.reset();
  }
  return allowed;
}

Fault ParseFault(const bson::Document& command) {
  const std::string_view name = TextAt(command, "tidemarkFault");
  const auto known = std::ranges::find(kActions, name, &ActionName::name);
  if (known == kActions.end()) {
    ThrowBadValue("no such fault: " + std::string(name));
  }
  Fault fault;
  fault.action = known->action;
  fault.commands = Texts(DocumentAt(command, "commands"));
  fault.ns = TextAt(command, "ns");
  fault.skip = static_cast<int>(IntegerAt(command, "skip", 0));
  fault.times = static_cast<int>(IntegerAt(command, "times", 1));
  fault.code = static_cast<int>(IntegerAt(command, "code", 1));
  fault.code_name = TextAt(command, "codeName");
  fault.message = TextAt(command, "errmsg");
  fault.labels = Texts(DocumentAt(command, "errorLabels"));
  fault.delay = std::chrono::milliseconds(IntegerAt(command, "delayMS", 0));
  return fault;
}

}  // namespace tidemark::memory
