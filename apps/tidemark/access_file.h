#pragma once

#include <optional>
#include <string>

#include "base/log.h"
#include "base/mutex.h"
#include "base/stage_group.h"
#include "http/access_log.h"

namespace tidemark::app {

// Access lines into a file, by a thread of its own, so that a slow disk does not hold up answers.
// Beyond kMaxWaiting bytes that wait for it lines are left out, and the log tells how many.
// Synchronized.
class AccessFile final : public http::AccessLog {
 public:
  static constexpr std::size_t kMaxWaiting = 1U << 20;  // bytes, about 8,000 lines

  // Appends to the file, which is created, readable by owner and group; "-" is standard output.
  // Throws when it cannot be opened. `log` must outlive it.
  AccessFile(std::string path, Log& log);
  // Writes what waits.
  ~AccessFile() override;
  AccessFile(const AccessFile&) = delete;
  AccessFile& operator=(const AccessFile&) = delete;

  void Write(const http::Access& access) override TIDEMARK_EXCLUDES(mutex_);

  // Goes on in a new file of that name once what waits is written: for those who have renamed the
  // one before. When it cannot be opened the old one stays, and the log tells.
  void Reopen() TIDEMARK_EXCLUDES(mutex_);

 private:
  struct Work {
    std::string lines;
    std::size_t left_out = 0;
    bool reopen = false;
  };

  static int Open(const std::string& path);

  void Run(const std::stop_token& stop) TIDEMARK_EXCLUDES(mutex_);
  // Blocks until there is something; what there is, perhaps nothing, once stopped.
  Work Take(const std::stop_token& stop) TIDEMARK_EXCLUDES(mutex_);
  void Do(const Work& work);
  void OpenAgain();

  const std::string path_;
  Log& log_;
  int descriptor_;        // of the writing thread
  bool failing_ = false;  // of the writing thread: the log has told already
  Mutex mutex_;
  CondVar changed_;
  Work work_ TIDEMARK_GUARDED_BY(mutex_);
  std::optional<StageGroup> thread_;
};

}  // namespace tidemark::app
