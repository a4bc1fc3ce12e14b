#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "bson/document.h"

namespace tidemark::memory {

// What a command does to the server's data.
enum class Access { kAny, kRead, kWrite };

// What happens to a command instead of, or before, its execution.
enum class FaultAction {
  kFail,             // the reply is {ok: 0, code, ...}; nothing is done
  kRefuseDocuments,  // an insert, update or delete answers a write error for each of its documents
  kDropConnection,   // nothing is done and nothing answered
  kDropAfterwards,   // it is done, and not answered
  kDelay,            // it is done later
  kKillCursor,       // a getMore finds its cursor gone: code 43
  kHold,             // it is done when the faults are cleared
  kUnreplicated,     // it is done, but no other member has it: who asks for a majority is told so
};

struct Fault {
  FaultAction action = FaultAction::kFail;
  std::vector<std::string> commands = {};  // empty: those that write
  std::string ns = {};                     // "db.collection"; empty: any
  int skip = 0;                            // so many matching commands pass first
  int times = 1;                           // then so many are met; -1: all
  int code = 0;
  std::string code_name = {};
  std::string message = {};
  std::vector<std::string> labels = {};
  std::chrono::milliseconds delay{0};
};

// A disk that is full from now on.
Fault FullDisk();

// The faults that a server has been told of. Synchronized.
class Faults {
 public:
  void Add(Fault fault) TIDEMARK_EXCLUDES(mutex_);
  // The connection that sends this many more bytes is dropped there, amid a reply. Once.
  void DropAfterBytes(std::uint64_t bytes) TIDEMARK_EXCLUDES(mutex_);
  void Clear() TIDEMARK_EXCLUDES(mutex_);

  // Called with each command's name and namespace before it is executed, on its connection's
  // thread: the place to change something at an exact moment.
  using Hook = std::function<void(std::string_view command, std::string_view ns)>;
  void SetHook(Hook hook) TIDEMARK_EXCLUDES(mutex_);

  // The faults that a command meets, each counted.
  std::vector<Fault> Meet(std::string_view command, std::string_view ns, Access access)
      TIDEMARK_EXCLUDES(mutex_);
  // Whether there is a fault that holds commands.
  bool IsHolding() TIDEMARK_EXCLUDES(mutex_);
  // How many of `bytes` may be sent; fewer than asked: then drop the connection.
  std::uint64_t TakeBytes(std::uint64_t bytes) TIDEMARK_EXCLUDES(mutex_);

 private:
  Mutex mutex_;
  std::vector<Fault> faults_ TIDEMARK_GUARDED_BY(mutex_);
  std::optional<std::uint64_t> bytes_left_ TIDEMARK_GUARDED_BY(mutex_);
  Hook hook_ TIDEMARK_GUARDED_BY(mutex_);
};

// A fault from the command {tidemarkFault: <action>, commands, ns, skip, times, code, codeName,
// errmsg, errorLabels, delayMS}. Throws CommandError BadValue.
Fault ParseFault(const bson::Document& command);

}  // namespace tidemark::memory
