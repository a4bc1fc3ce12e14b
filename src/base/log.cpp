#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "base/one_line.h"

namespace tidemark {
namespace {

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

class StderrLog final : public Log {
 public:
  explicit StderrLog(LogLevel threshold)
      : logger_("tidemark", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
    logger_.set_level(ToSpdlog(threshold));
    logger_.set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
    logger_.flush_on(spdlog::level::debug);
  }

  bool Enabled(LogLevel level) const override { return logger_.should_log(ToSpdlog(level)); }

  void Write(LogLevel level, std::string_view line) override {
    logger_.log(ToSpdlog(level), OneLine(line));
  }

 private:
  spdlog::logger logger_;
};

class NullLog final : public Log {
 public:
  bool Enabled(LogLevel) const override { return false; }

  void Write(LogLevel, std::string_view) override {}
};

}  // namespace

std::unique_ptr<Log> MakeStderrLog(LogLevel threshold) {
  return std::make_unique<StderrLog>(threshold);
}

std::unique_ptr<Log> MakeNullLog() {
  return std::make_unique<NullLog>();
}

}  // namespace tidemark
