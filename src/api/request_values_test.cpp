#include "api/internal/request_values.h"

#include <gtest/gtest.h>

namespace tidemark::api {
namespace {

std::string Date(std::string_view text) {
  const auto parsed = ParseDate(text);
  return parsed ? FormatInstant(*parsed) : "none";
}

TEST(ParseDate, TakesEveryFormThatClientsSend) {
  EXPECT_EQ(Date("2018-12-01"), "2018-12-01T00:00:00Z");
  EXPECT_EQ(Date("2018-12-01T10:20:30Z"), "2018-12-01T10:20:30Z");
  EXPECT_EQ(Date("2018-12-01T10:20:30"), "2018-12-01T10:20:30Z");
  EXPECT_EQ(Date("2018-12-01T10:20:30.123"), "2018-12-01T10:20:30Z");
  EXPECT_EQ(Date("2018-12-01T10:20:30+01:30"), "2018-12-01T08:50:30Z");
  EXPECT_EQ(Date("2018-12-31T23:20:30.5-0100"), "2019-01-01T00:20:30Z");
}

TEST(ParseDate, RefusesWhatIsNone) {
  for (const auto* text : {"",
                           "today",
                           "2018-13-01",
                           "2018-02-30",
                           "2018-12-01T",
                           "2018-12-01T10:20",
                           "2018-12-01T25:00:00Z",
                           "2018-12-01T10:20:30.Z",
                           "2018-12-01T10:20:30X",
                           "2018-12-01T10:20:30+1",
                           "2018-12-01T10:20:30+24:00",
                           "2018-12-01T10:20:30+01:60",
                           "2018-12-01T10:20:30+01-30",
                           "2018-12-01T10:20:30+0x:00",
                           "2018-12-01T10:20:30Z ",
                           "9999-12-31T23:30:00-01:00",
                           "0000-01-01T00:30:00+01:00",
                           "18-12-01T10:20:30Z"}) {
    EXPECT_EQ(Date(text), "none") << text;
  }
}

}  // namespace
}  // namespace tidemark::api
