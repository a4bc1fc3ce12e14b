#include "telemetry/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace tidemark::telemetry {
namespace {

prometheus::Labels ToMap(const Labels& labels) {
  return {labels.begin(), labels.end()};
}

// Jobs last from a tenth of a second to a day.
prometheus::Histogram::BucketBoundaries Seconds() {
  return {0.1, 1, 5, 15, 60, 300, 900, 3600, 14400, 86400};
}

prometheus::MetricFamily Convert(const Family& family) {
  prometheus::MetricFamily converted;
  converted.name = family.name;
  converted.help = family.help;
  converted.type = family.kind == Kind::kCounter ? prometheus::MetricType::Counter
                                                 : prometheus::MetricType::Gauge;
  for (const Family::Sample& sample : family.samples) {
    prometheus::ClientMetric metric;
    for (const auto& [name, value] : sample.labels) {
      metric.label.push_back({name, value});
    }
    metric.counter.value = sample.value;
    metric.gauge.value = sample.value;
    converted.metric.push_back(std::move(metric));
  }
  return converted;
}

class PrometheusRegistry final : public Registry {
 public:
  void Count(std::string_view family,
             std::string_view help,
             const Labels& labels,
             double by) override {
    // A family that was made already is given again.
    prometheus::BuildCounter()
        .Name(std::string(family))
        .Help(std::string(help))
        .Register(registry_)
        .Add(ToMap(labels))
        .Increment(by);
  }

  void Observe(std::string_view family,
               std::string_view help,
               const Labels& labels,
               double seconds) override {
    prometheus::BuildHistogram()
        .Name(std::string(family))
        .Help(std::string(help))
        .Register(registry_)
        .Add(ToMap(labels), Seconds())
        .Observe(seconds);
  }

  std::string Render(const std::vector<Family>& more) override {
    std::vector<prometheus::MetricFamily> families = registry_.Collect();
    for (const Family& family : more) {
      families.push_back(Convert(family));
    }
    return prometheus::TextSerializer().Serialize(families);
  }

 private:
  prometheus::Registry registry_{prometheus::Registry::InsertBehavior::Merge};
};

}  // namespace

std::unique_ptr<Registry> Registry::Make() {
  return std::make_unique<PrometheusRegistry>();
}

}  // namespace tidemark::telemetry
