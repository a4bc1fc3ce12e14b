#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <fmt/core.h>

namespace tidemark {

// debug = per object; info = a job or server changed state; warn = degraded but continuing; error =
// gave up.
enum class LogLevel { kDebug, kInfo, kWarn, kError };

// Where lines go. Owned by main, passed down by reference. Synchronized.
// A line is "fields before prose": `job=.. cluster=.. bytes=..  snapshot completed`. Never a
// secret: Secret prints `***`.
class Log {
 public:
  virtual ~Log() = default;
  virtual bool Enabled(LogLevel level) const = 0;
  virtual void Write(LogLevel level, std::string_view line) = 0;

  template <class... Args>
  void Debug(fmt::format_string<Args...> format, Args&&... args) {
    Format(LogLevel::kDebug, format, std::forward<Args>(args)...);
  }

  template <class... Args>
  void Info(fmt::format_string<Args...> format, Args&&... args) {
    Format(LogLevel::kInfo, format, std::forward<Args>(args)...);
  }

  template <class... Args>
  void Warn(fmt::format_string<Args...> format, Args&&... args) {
    Format(LogLevel::kWarn, format, std::forward<Args>(args)...);
  }

  template <class... Args>
  void Error(fmt::format_string<Args...> format, Args&&... args) {
    Format(LogLevel::kError, format, std::forward<Args>(args)...);
  }

 private:
  template <class... Args>
  void Format(LogLevel level, fmt::format_string<Args...> format, Args&&... args) {
    if (Enabled(level)) {
      Write(level, fmt::format(format, std::forward<Args>(args)...));
    }
  }
};

// Lines to standard error, with UTC time and level, through spdlog.
std::unique_ptr<Log> MakeStderrLog(LogLevel threshold);

// Drops everything. For tests and tools.
std::unique_ptr<Log> MakeNullLog();

}  // namespace tidemark
