#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Numbers for Prometheus. The only home of prometheus-cpp.
namespace tidemark::telemetry {

using Labels = std::vector<std::pair<std::string, std::string>>;

enum class Kind { kGauge, kCounter };

// A family that is read when somebody asks.
struct Family {
  std::string name;
  std::string help;
  Kind kind = Kind::kGauge;

  struct Sample {
    Labels labels;
    double value = 0;
  };

  std::vector<Sample> samples;
};

// What is counted while the process runs. Label values have to be few: nothing is ever forgotten.
// Synchronized.
class Registry {
 public:
  static std::unique_ptr<Registry> Make();
  virtual ~Registry() = default;

  // Adds to a counter of that family. REQUIRES: a family is always called with the same help and
  // labels of the same names; `by` is not negative.
  virtual void Count(std::string_view family,
                     std::string_view help,
                     const Labels& labels,
                     double by) = 0;
  // Into a histogram of seconds, from 0.1 s to a day.
  virtual void Observe(std::string_view family,
                       std::string_view help,
                       const Labels& labels,
                       double seconds) = 0;
  // What was counted and `more`, in Prometheus' text format 0.0.4.
  virtual std::string Render(const std::vector<Family>& more) = 0;
};

inline constexpr std::string_view kMediaType = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace tidemark::telemetry
