#include "base/pause.h"

#include <condition_variable>
#include <mutex>

namespace tidemark {

void PauseFor(std::chrono::milliseconds pause, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any waiting;
  std::unique_lock lock(mutex);
  waiting.wait_for(lock, stop, pause, [] { return false; });
}

}  // namespace tidemark
