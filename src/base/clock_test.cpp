#include "base/clock.h"

#include <gtest/gtest.h>

namespace tidemark {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

}  // namespace

TEST(FormatInstant, GivesWholeSecondsRoundedDown) {
  EXPECT_EQ(FormatInstant(Instant()), "1970-01-01T00:00:00Z");
  EXPECT_EQ(FormatInstant(Instant(microseconds(1'709'210'096'999'999))), "2024-02-29T12:34:56Z");
  EXPECT_EQ(FormatInstant(Instant(microseconds(-1))), "1969-12-31T23:59:59Z");
}

TEST(ParseInstant, ReadsWhatFormatInstantWrites) {
  for (const std::string_view text : {"1970-01-01T00:00:00Z",
                                      "2024-02-29T12:34:56Z",
                                      "1969-12-31T23:59:59Z",
                                      "9999-12-31T23:59:59Z"}) {
    const std::optional<Instant> instant = ParseInstant(text);
    ASSERT_TRUE(instant) << text;
    EXPECT_EQ(FormatInstant(*instant), text);
  }
}

TEST(ParseInstant, DropsAFraction) {
  EXPECT_EQ(ParseInstant("2024-02-29T12:34:56.789Z"), ParseInstant("2024-02-29T12:34:56Z"));
  EXPECT_TRUE(ParseInstant("2024-02-29T12:34:56.1Z"));
}

TEST(ParseInstant, RefusesEveryOtherForm) {
  for (const std::string_view text : {"",
                                      "2024-02-29",
                                      "2024-02-29T12:34:56",
                                      "2024-02-29 12:34:56Z",
                                      "2024-02-29T12:34:56z",
                                      "2024-02-29T12:34:56+00:00",
                                      "2024-02-29T12:34:56.Z",
                                      "2024-02-29T12:34:56ZZ",
                                      "2024-02-29T12:34:5Z",
                                      "2024-2-29T12:34:56Z",
                                      "2023-02-29T12:34:56Z",
                                      "2024-13-01T12:34:56Z",
                                      "2024-00-01T12:34:56Z",
                                      "2024-02-29T24:00:00Z",
                                      "2024-02-29T12:60:00Z",
                                      "2024-02-29T12:34:60Z",
                                      "-024-02-29T12:34:56Z"}) {
    EXPECT_FALSE(ParseInstant(text)) << text;
  }
}

TEST(Micros, RoundTrip) {
  const Instant instant{microseconds(1'709'210'096'123'456)};
  EXPECT_EQ(ToMicros(instant), 1'709'210'096'123'456);
  EXPECT_EQ(FromMicros(ToMicros(instant)), instant);
}

TEST(ManualClock, MovesOnlyByHand) {
  ManualClock clock{Instant(seconds(100))};
  EXPECT_EQ(clock.Now(), Instant(seconds(100)));
  clock.Advance(seconds(5));
  EXPECT_EQ(clock.Now(), Instant(seconds(105)));
  clock.Set(Instant(seconds(1)));
  EXPECT_EQ(clock.Now(), Instant(seconds(1)));
}

}  // namespace tidemark
