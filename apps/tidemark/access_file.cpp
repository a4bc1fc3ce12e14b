#include "access_file.h"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "api/access_line.h"
#include "base/error.h"
#include "base/file.h"

namespace tidemark::app {

namespace {

// After its first line, for those behind it: to be woken for each would cost more than to write it.
constexpr std::chrono::milliseconds kGather{20};

}  // namespace

AccessFile::AccessFile(std::string path, Log& log)
    : path_(std::move(path)), log_(log), descriptor_(Open(path_)) {
  thread_.emplace();
  thread_->OnStop([this] {
    const MutexLock lock(mutex_);
    changed_.NotifyAll();
  });
  thread_->Start("access-log", [this](const std::stop_token& stop) { Run(stop); });
}

AccessFile::~AccessFile() {
  thread_.reset();
  if (descriptor_ != STDOUT_FILENO) {
    ::close(descriptor_);
  }
}

int AccessFile::Open(const std::string& path) {
  if (path == "-") {
    return STDOUT_FILENO;
  }
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
  if (descriptor < 0) {
    ThrowErrno(errno, "open the access log", path);
  }
  return descriptor;
}

void AccessFile::Write(const http::Access& access) {
  const std::string line = api::FormatAccessLine(access) + "\n";
  const MutexLock lock(mutex_);
  if (work_.lines.size() + line.size() > kMaxWaiting) {
    ++work_.left_out;
    return;
  }
  if (work_.lines.empty()) {
    changed_.NotifyOne();
  }
  work_.lines += line;
}

void AccessFile::Reopen() {
  const MutexLock lock(mutex_);
  work_.reopen = true;
  changed_.NotifyOne();
}

AccessFile::Work AccessFile::Take(const std::stop_token& stop) {
  const MutexLock lock(mutex_);
  while (work_.lines.empty() && !work_.reopen && !stop.stop_requested()) {
    changed_.Wait(mutex_);
  }
  if (!work_.reopen && !stop.stop_requested()) {
    changed_.WaitFor(mutex_, kGather);
  }
  return std::exchange(work_, {});
}

void AccessFile::Run(const std::stop_token& stop) {
  for (;;) {
    const bool last = stop.stop_requested();  // before Take: nobody writes any more
    Do(Take(stop));
    if (last) {
      return;
    }
  }
}

void AccessFile::Do(const Work& work) {
  try {
    WriteToDescriptor(descriptor_, AsBytes(work.lines), path_);
    failing_ = false;
  } catch (const Error& error) {
    if (!std::exchange(failing_, true)) {
      log_.Warn("lines are lost from the access log: {}", error.message());
    }
  }
  if (work.left_out > 0) {
    log_.Warn("lines={}  left out of the access log: its disk is too slow", work.left_out);
  }
  if (work.reopen) {
    OpenAgain();
  }
}

void AccessFile::OpenAgain() {
  if (descriptor_ == STDOUT_FILENO) {
    return;
  }
  try {
    const int before = std::exchange(descriptor_, Open(path_));
    ::close(before);
  } catch (const Error& error) {
    log_.Warn("the access log goes on in the old file: {}", error.message());
  }
}

}  // namespace tidemark::app
