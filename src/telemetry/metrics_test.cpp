#include "telemetry/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidemark::telemetry {
namespace {

using testing::HasSubstr;

TEST(Registry, CountersGrowAndKeepTheirLabelsApart) {
  const auto registry = Registry::Make();
  registry->Count("a_total", "what a is", {{"kind", "x"}}, 1);
  registry->Count("a_total", "what a is", {{"kind", "x"}}, 2);
  registry->Count("a_total", "what a is", {{"kind", "y"}}, 5);
  const std::string text = registry->Render({});
  EXPECT_THAT(text, HasSubstr("# HELP a_total what a is\n# TYPE a_total counter\n"));
  EXPECT_THAT(text, HasSubstr("a_total{kind=\"x\"} 3"));
  EXPECT_THAT(text, HasSubstr("a_total{kind=\"y\"} 5"));
}

TEST(Registry, DurationsAreAHistogram) {
  const auto registry = Registry::Make();
  registry->Observe("d_seconds", "how long", {}, 2);
  registry->Observe("d_seconds", "how long", {}, 100);
  const std::string text = registry->Render({});
  EXPECT_THAT(text, HasSubstr("d_seconds_bucket{le=\"5\"} 1"));
  EXPECT_THAT(text, HasSubstr("d_seconds_bucket{le=\"300\"} 2"));
  EXPECT_THAT(text, HasSubstr("d_seconds_sum 102"));
}

TEST(Registry, WhatIsReadOnDemandIsThere) {
  const std::string text = Registry::Make()->Render(
      {{.name = "g", .help = "now", .samples = {{{{"name", "a\"b\\c\nd"}}, 1.5}}}});
  EXPECT_THAT(text, HasSubstr("# TYPE g gauge\n"));
  EXPECT_THAT(text, HasSubstr("g{name=\"a\\\"b\\\\c\\nd\"} 1.5"));
}

}  // namespace
}  // namespace tidemark::telemetry
