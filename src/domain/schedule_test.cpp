#include "domain/schedule.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidemark::domain {
namespace {

using testing::ElementsAre;
using testing::StartsWith;

Instant At(const std::string& text) {
  return ParseInstant(text).value();
}

std::string Text(const std::optional<Instant>& instant) {
  return instant ? FormatInstant(*instant) : "never";
}

Schedule With(std::vector<PolicyItem> items, int reference_minute = 0) {
  return {.reference_minute = reference_minute, .items = std::move(items)};
}

std::string NextText(const PolicyItem& item, const std::string& after, int reference_minute = 0) {
  return Text(NextDue(With({item}, reference_minute), At(after)));
}

constexpr PolicyItem kSixHours{Frequency::kHourly, 6, RetentionUnit::kDays, 2};
constexpr PolicyItem kDaily{Frequency::kDaily, 1, RetentionUnit::kDays, 7};
constexpr PolicyItem kSaturdays{Frequency::kWeekly, 6, RetentionUnit::kWeeks, 4};
constexpr PolicyItem kLastOfMonth{Frequency::kMonthly, kLastDayOfMonth, RetentionUnit::kMonths, 13};
constexpr PolicyItem kMarch{Frequency::kYearly, 3, RetentionUnit::kYears, 1};

TEST(NextDue, IsAlwaysLater) {
  EXPECT_EQ(NextText(kDaily, "2026-11-25T10:00:00Z", 600), "2026-11-26T10:00:00Z");
  EXPECT_EQ(NextText(kDaily, "2026-11-25T09:59:59Z", 600), "2026-11-25T10:00:00Z");
  EXPECT_EQ(NextText(kDaily, "2026-11-25T00:00:00Z", 1439), "2026-11-25T23:59:00Z");
}

TEST(NextDue, CountsHoursFromTheReferenceTimeOverMidnight) {
  EXPECT_EQ(NextText(kSixHours, "2026-11-25T10:00:00Z", 90), "2026-11-25T13:30:00Z");
  EXPECT_EQ(NextText(kSixHours, "2026-11-25T19:30:00Z", 90), "2026-11-26T01:30:00Z");
  EXPECT_EQ(NextText(kSixHours, "2026-11-26T01:00:00Z", 90), "2026-11-26T01:30:00Z");
  EXPECT_EQ(NextText(kSixHours, "2026-12-31T23:00:00Z", 0), "2027-01-01T00:00:00Z");
}

TEST(NextDue, KnowsWeekdays) {  // 2026-11-25 is a Wednesday
  EXPECT_EQ(NextText(kSaturdays, "2026-11-25T10:00:00Z"), "2026-11-28T00:00:00Z");
  EXPECT_EQ(NextText(kSaturdays, "2026-11-28T00:00:00Z"), "2026-12-05T00:00:00Z");
  PolicyItem sundays = kSaturdays;
  sundays.interval = 7;
  EXPECT_EQ(NextText(sundays, "2026-11-28T00:00:00Z"), "2026-11-29T00:00:00Z");
}

TEST(NextDue, KnowsTheEndsOfMonths) {
  EXPECT_EQ(NextText(kLastOfMonth, "2026-01-31T00:00:00Z"), "2026-02-28T00:00:00Z");
  EXPECT_EQ(NextText(kLastOfMonth, "2028-02-01T00:00:00Z"), "2028-02-29T00:00:00Z");
  EXPECT_EQ(NextText(kLastOfMonth, "2026-12-30T23:00:00Z"), "2026-12-31T00:00:00Z");
  PolicyItem day = kLastOfMonth;
  day.interval = 28;
  EXPECT_EQ(NextText(day, "2026-02-28T00:00:00Z"), "2026-03-28T00:00:00Z");
}

TEST(NextDue, KnowsYears) {
  EXPECT_EQ(NextText(kMarch, "2026-03-01T00:00:00Z"), "2027-03-01T00:00:00Z");
  EXPECT_EQ(NextText(kMarch, "2026-02-28T23:59:59Z"), "2026-03-01T00:00:00Z");
}

TEST(NextDue, IsTheFirstOfAllItems) {
  EXPECT_EQ(Text(NextDue(With({kMarch, kSaturdays, kDaily}), At("2026-11-25T10:00:00Z"))),
            "2026-11-26T00:00:00Z");
  EXPECT_EQ(Text(NextDue(With({}), At("2026-11-25T10:00:00Z"))), "never");
}

std::string ExpiryText(const std::string& due, const std::optional<std::string>& earlier) {
  const Schedule schedule = With({kSixHours, kDaily, kSaturdays, kLastOfMonth});
  return FormatInstant(
      ExpiryOf(schedule, At(due), earlier ? std::optional(At(*earlier)) : std::nullopt));
}

TEST(ExpiryOf, FollowsTheLongestItem) {
  EXPECT_EQ(ExpiryText("2026-11-25T06:00:00Z", "2026-11-25T00:00:00Z"), "2026-11-27T06:00:00Z");
  EXPECT_EQ(ExpiryText("2026-11-25T00:00:00Z", "2026-11-24T18:00:00Z"), "2026-12-02T00:00:00Z");
  EXPECT_EQ(ExpiryText("2026-11-28T00:00:00Z", "2026-11-27T18:00:00Z"), "2026-12-26T00:00:00Z");
  EXPECT_EQ(ExpiryText("2026-11-30T00:00:00Z", "2026-11-29T18:00:00Z"), "2027-12-30T00:00:00Z");
}

TEST(ExpiryOf, TheFirstOfAllStandsForEveryPeriod) {
  EXPECT_EQ(ExpiryText("2026-11-25T06:00:00Z", std::nullopt), "2027-12-25T06:00:00Z");
}

TEST(ExpiryOf, TheFirstAfterAHoleStandsForWhatWasMissed) {
  // The daily of the 26th was missed: the next one that day is kept as it would have been.
  EXPECT_EQ(ExpiryText("2026-11-26T06:00:00Z", "2026-11-25T18:00:00Z"), "2026-12-03T06:00:00Z");
  // So was the weekly of the 28th, a Saturday; the first one after it comes on Sunday.
  EXPECT_EQ(ExpiryText("2026-11-29T12:00:00Z", "2026-11-27T18:00:00Z"), "2026-12-27T12:00:00Z");
  // And the monthly of the 30th.
  EXPECT_EQ(ExpiryText("2026-12-02T12:00:00Z", "2026-11-29T18:00:00Z"), "2028-01-02T12:00:00Z");
}

TEST(ExpiryOf, AMonthAfterALongMonthIsItsLastDay) {
  const Schedule schedule =
      With({{Frequency::kMonthly, kLastDayOfMonth, RetentionUnit::kMonths, 1}}, 61);
  EXPECT_EQ(FormatInstant(ExpiryOf(schedule, At("2027-01-31T01:01:00Z"), std::nullopt)),
            "2027-02-28T01:01:00Z");
  const Schedule years = With({{Frequency::kMonthly, 28, RetentionUnit::kYears, 1}});
  EXPECT_EQ(FormatInstant(ExpiryOf(years, At("2028-02-28T00:00:00Z"), std::nullopt)),
            "2029-02-28T00:00:00Z");
}

TEST(ExpiryOf, IsNeverLessThanTheShortestItem) {  // the schedule has been changed meanwhile
  EXPECT_EQ(ExpiryText("2026-11-25T05:00:00Z", "2026-11-25T04:00:00Z"), "2026-11-27T05:00:00Z");
}

TEST(ItemsFor, AreThoseInWhosePeriodItIsTheFirst) {
  const Schedule schedule = With({kSixHours, kDaily, kSaturdays});
  const auto items = [&](const std::string& due, const std::string& earlier) {
    return ItemsFor(schedule, At(due), At(earlier));
  };
  // The 28th of November 2026 is a Saturday.
  EXPECT_THAT(items("2026-11-28T06:00:00Z", "2026-11-28T00:00:00Z"), ElementsAre(kSixHours));
  EXPECT_THAT(items("2026-11-29T00:00:00Z", "2026-11-28T18:00:00Z"),
              ElementsAre(kSixHours, kDaily));
  EXPECT_THAT(items("2026-11-28T00:00:00Z", "2026-11-27T18:00:00Z"),
              ElementsAre(kSixHours, kDaily, kSaturdays));
  EXPECT_THAT(items("2026-11-29T12:00:00Z", "2026-11-27T18:00:00Z"),
              ElementsAre(kSixHours, kDaily, kSaturdays));
  EXPECT_EQ(ItemsFor(schedule, At("2026-11-28T06:00:00Z"), std::nullopt).size(), 3U);
  EXPECT_THAT(items("2026-11-28T05:00:00Z", "2026-11-28T04:00:00Z"), ElementsAre(kSixHours));
}

TEST(ExpiryOf, AddsTheExtraDaysOfTheFrequency) {
  Schedule schedule = With({kSixHours, kDaily});
  schedule.extra = {{.frequency = Frequency::kHourly, .days = 9}, {.days = 100}};
  EXPECT_EQ(FormatInstant(ExpiryOf(schedule, At("2026-11-28T06:00:00Z"), {kSixHours})),
            "2026-12-09T06:00:00Z");
  EXPECT_EQ(FormatInstant(ExpiryOf(schedule, At("2026-11-28T06:00:00Z"), {kDaily})),
            "2026-12-05T06:00:00Z");
  // The one that is kept longest wins, with its extra days.
  EXPECT_EQ(FormatInstant(ExpiryOf(schedule, At("2026-11-28T00:00:00Z"), {kSixHours, kDaily})),
            "2026-12-09T00:00:00Z");
  EXPECT_EQ(ExtraOf(schedule, std::nullopt).count(), 100);
  EXPECT_EQ(ExtraOf(schedule, Frequency::kYearly).count(), 0);
}

TEST(KeepIds, GivesAnItemTheIdOfTheOneThatItStandsFor) {
  SeededRandom random(1);
  Schedule schedule = With({kSixHours, kDaily, kSaturdays, kSaturdays});
  schedule.items.back().interval = 3;
  GiveIds(schedule, At("2026-11-25T10:20:30Z"), random);
  EXPECT_FALSE(schedule.policy.IsZero());
  const std::vector<PolicyItem> before = schedule.items;
  std::set<PolicyItemId> ids;
  for (const PolicyItem& item : before) {
    ids.insert(item.id);
  }
  EXPECT_EQ(ids.size(), 4U);
  EXPECT_EQ(ids.count(PolicyItemId()), 0U);
  // Another retention and interval of the only daily and hourly one; the weekly ones by their day.
  std::vector<PolicyItem> after{{Frequency::kWeekly, 3, RetentionUnit::kWeeks, 9},
                                {Frequency::kHourly, 12, RetentionUnit::kDays, 1},
                                kDaily,
                                kLastOfMonth};
  KeepIds(before, after);
  EXPECT_EQ(after[0].id, before[3].id);
  EXPECT_EQ(after[1].id, before[0].id);
  EXPECT_EQ(after[2].id, before[1].id);
  EXPECT_TRUE(after[3].id.IsZero());
  schedule.items = after;
  const PolicyId policy = schedule.policy;
  GiveIds(schedule, At("2026-11-25T10:20:30Z"), random);
  EXPECT_EQ(schedule.policy, policy);
  EXPECT_EQ(schedule.items[0].id, before[3].id);
  EXPECT_EQ(ids.count(schedule.items[3].id), 0U);
}

TEST(ScheduleProblem, BoundsExtraDays) {
  Schedule schedule = With({kDaily});
  schedule.extra = {{.frequency = Frequency::kDaily, .days = 3}, {.days = 3660}};
  EXPECT_EQ(ScheduleProblem(schedule), "");
  schedule.extra.push_back({.frequency = Frequency::kDaily, .days = 4});
  EXPECT_THAT(ScheduleProblem(schedule), StartsWith("extraRetention: there is at most one"));
  schedule.extra = {{.days = -1}};
  EXPECT_THAT(ScheduleProblem(schedule), StartsWith("extraRetention: its days"));
  schedule.extra = {{.days = 3661}};
  EXPECT_THAT(ScheduleProblem(schedule), StartsWith("extraRetention: its days"));
}

TEST(DefaultSchedule, OfTheSharedTierIsDailyAndKeepsEight) {
  const Cluster cluster{.tier = Tier::kFlex, .created = At("2026-11-25T10:20:30Z")};
  const Schedule schedule = DefaultSchedule(cluster, cluster.created);
  EXPECT_EQ(schedule.reference_minute, 620);
  EXPECT_EQ(schedule.keep_last, 8);
  EXPECT_EQ(Text(schedule.run.next_due), "2026-11-26T10:20:00Z");
  EXPECT_EQ(FormatInstant(ExpiryOf(schedule, *schedule.run.next_due, std::nullopt)),
            "2026-12-04T10:20:00Z");
  EXPECT_EQ(ScheduleProblem(schedule), "");
}

TEST(DefaultSchedule, OfADedicatedClusterIsTheRecordedPolicy) {
  const Cluster cluster{.tier = Tier::kDedicated, .created = At("2026-11-25T10:20:30Z")};
  const Schedule schedule = DefaultSchedule(cluster, cluster.created);
  EXPECT_THAT(schedule.items,
              testing::ElementsAre(PolicyItem{Frequency::kHourly, 6, RetentionUnit::kDays, 7},
                                   kDaily,
                                   kSaturdays,
                                   PolicyItem{Frequency::kMonthly, 40, RetentionUnit::kMonths, 12},
                                   PolicyItem{Frequency::kYearly, 12, RetentionUnit::kYears, 1}));
  EXPECT_EQ(schedule.point_in_time_hours, 7 * 24);
  EXPECT_EQ(Text(schedule.run.next_due), "2026-11-25T16:20:00Z");
  EXPECT_EQ(ScheduleProblem(schedule), "");
}

TEST(ScheduleProblem, NamesTheMember) {
  Schedule schedule = With({kDaily});
  EXPECT_EQ(ScheduleProblem(schedule), "");
  schedule.reference_minute = 1440;
  EXPECT_THAT(ScheduleProblem(schedule), StartsWith("referenceHourOfDay: "));
  schedule = With({kDaily});
  schedule.keep_last = 0;
  EXPECT_THAT(ScheduleProblem(schedule), StartsWith("keepLast: "));
  schedule = With({kDaily});
  schedule.point_in_time_hours = -1;
  EXPECT_THAT(ScheduleProblem(schedule), StartsWith("pointInTimeWindowHours: "));
  EXPECT_EQ(ScheduleProblem(With({})), "");  // deleted
  EXPECT_THAT(ScheduleProblem(With(std::vector(17, kDaily))), StartsWith("items: "));
}

TEST(ScheduleProblem, BoundsIntervalsAndRetention) {
  const auto wrong = [](PolicyItem item) { return !ScheduleProblem(With({item})).empty(); };
  const RetentionUnit days = RetentionUnit::kDays;
  for (const int interval : {0, 3, 5, 7, 48, -6}) {
    EXPECT_TRUE(wrong({Frequency::kHourly, interval, days, 1})) << interval;
  }
  EXPECT_TRUE(wrong({Frequency::kDaily, 2, days, 1}));
  EXPECT_TRUE(wrong({Frequency::kWeekly, 8, days, 1}));
  EXPECT_TRUE(wrong({Frequency::kMonthly, 29, days, 1}));
  EXPECT_TRUE(wrong({Frequency::kYearly, 13, days, 1}));
  EXPECT_TRUE(wrong({Frequency::kDaily, 1, days, 0}));
  EXPECT_TRUE(wrong({Frequency::kDaily, 1, RetentionUnit::kYears, 11}));
  EXPECT_FALSE(wrong({Frequency::kMonthly, 40, RetentionUnit::kYears, 10}));
}

// A schedule whose snapshot for 10:00 is the newest.
class StepTest : public testing::Test {
 protected:
  StepTest() {
    schedule_.run = {.next_due = At("2026-11-25T16:00:00Z"),
                     .due = At("2026-11-25T10:00:00Z"),
                     .attempt = 1,
                     .snapshot = SnapshotId::Parse("0123456789abcdef01234567").value(),
                     .settled = false};
  }

  std::optional<ScheduleStep> Next(const std::string& now, bool paused = false) {
    return NextStep(schedule_, At(now), last_, paused);
  }

  // Takes the step that there has to be.
  ScheduleStep Take(const std::string& now, bool paused = false) {
    const auto step = Next(now, paused);
    EXPECT_TRUE(step.has_value()) << now;
    schedule_.run = step.value_or(ScheduleStep{}).run;
    return step.value_or(ScheduleStep{});
  }

  void End(SnapshotState state) { last_.state = state; }

  Schedule schedule_ = With({kSixHours}, 600);
  Snapshot last_{.state = SnapshotState::kRunning, .failure = "no disk"};
};

TEST_F(StepTest, NothingIsDueInBetween) {
  EXPECT_FALSE(Next("2026-11-25T15:59:59Z"));
  End(SnapshotState::kCompleted);
  EXPECT_FALSE(Take("2026-11-25T10:30:00Z").take);
  EXPECT_TRUE(schedule_.run.settled);
  EXPECT_FALSE(Next("2026-11-25T15:59:59Z"));
  EXPECT_EQ(schedule_.run.missed, 0);
}

TEST_F(StepTest, TakesAtItsTime) {
  schedule_.run.settled = true;
  const ScheduleStep step = Take("2026-11-25T16:00:00Z");
  EXPECT_TRUE(step.take);
  EXPECT_EQ(Text(step.run.due), "2026-11-25T16:00:00Z");
  EXPECT_EQ(Text(step.run.next_due), "2026-11-25T22:00:00Z");
  EXPECT_EQ(step.run.attempt, 1);
  EXPECT_EQ(step.run.missed, 0);
}

TEST_F(StepTest, OneStandsForAllThatPassed) {
  schedule_.run.settled = true;
  const ScheduleStep step = Take("2026-11-27T12:00:00Z");
  EXPECT_TRUE(step.take);
  EXPECT_EQ(Text(step.run.due), "2026-11-27T10:00:00Z");
  EXPECT_EQ(Text(step.run.next_due), "2026-11-27T16:00:00Z");
  EXPECT_EQ(step.run.missed, 7);
  EXPECT_EQ(Text(step.run.last_missed), "2026-11-27T04:00:00Z");
  EXPECT_FALSE(Next("2026-11-27T12:00:00Z"));
}

TEST_F(StepTest, AVeryLongHoleIsCountedUpToABound) {
  schedule_.run.settled = true;
  EXPECT_EQ(Take("2126-11-27T12:00:00Z").run.missed, 9'999);
  EXPECT_EQ(Text(schedule_.run.due), "2126-11-27T10:00:00Z");
}

TEST_F(StepTest, TriesAgainTwiceAndThenMisses) {
  End(SnapshotState::kFailed);
  EXPECT_EQ(Text(Take("2026-11-25T10:01:00Z").run.retry_at), "2026-11-25T10:06:00Z");
  EXPECT_EQ(Text(WakeAt(schedule_)), "2026-11-25T10:06:00Z");
  EXPECT_FALSE(Next("2026-11-25T10:05:59Z"));
  for (const int attempt : {2, 3}) {
    const ScheduleStep step = Take("2026-11-25T11:00:00Z");
    EXPECT_TRUE(step.take);
    EXPECT_EQ(step.run.attempt, attempt);
    EXPECT_EQ(Text(step.run.due), "2026-11-25T10:00:00Z");
    EXPECT_FALSE(step.run.retry_at);
    schedule_.run.settled = false;
    Take("2026-11-25T10:10:00Z");
  }
  EXPECT_FALSE(schedule_.run.retry_at);
  EXPECT_EQ(schedule_.run.missed, 1);
  EXPECT_EQ(Text(schedule_.run.last_missed), "2026-11-25T10:00:00Z");
  EXPECT_THAT(schedule_.run.missed_reason, testing::EndsWith(" failed: no disk"));
  EXPECT_FALSE(Next("2026-11-25T15:59:59Z"));
}

TEST_F(StepTest, DoesNotTryAgainWhenTheNextOneIsNear) {
  End(SnapshotState::kFailed);
  EXPECT_FALSE(Take("2026-11-25T15:55:00Z").run.retry_at);
  EXPECT_EQ(schedule_.run.missed, 1);
}

TEST_F(StepTest, ARetryWhoseTimeIsOverIsMissed) {
  End(SnapshotState::kFailed);
  Take("2026-11-25T10:01:00Z");
  const ScheduleStep step = Take("2026-11-25T16:00:00Z");
  EXPECT_TRUE(step.take);
  EXPECT_EQ(step.run.missed, 1);
  EXPECT_FALSE(step.run.retry_at);
  EXPECT_EQ(step.run.attempt, 1);
}

TEST_F(StepTest, DoesNotStartASecondOneBesideOneThatRuns) {
  const ScheduleStep step = Take("2026-11-25T22:00:00Z");
  EXPECT_FALSE(step.take);
  EXPECT_EQ(step.run.missed, 2);
  EXPECT_EQ(Text(step.run.next_due), "2026-11-26T04:00:00Z");
  EXPECT_THAT(step.run.missed_reason, testing::EndsWith(" was still being taken"));
  EXPECT_FALSE(step.run.settled);
}

TEST_F(StepTest, APausedClusterMissesNothing) {
  schedule_.run.settled = true;
  const ScheduleStep step = Take("2026-11-26T12:00:00Z", true);
  EXPECT_FALSE(step.take);
  EXPECT_EQ(step.run.missed, 0);
  EXPECT_EQ(Text(step.run.next_due), "2026-11-26T16:00:00Z");
}

TEST_F(StepTest, WhatIsOffTakesNothing) {
  schedule_.enabled = false;
  schedule_.run.next_due.reset();
  EXPECT_EQ(Text(WakeAt(schedule_)), "never");
  EXPECT_FALSE(Next("2027-11-25T22:00:00Z"));
  End(SnapshotState::kFailed);
  EXPECT_FALSE(Take("2026-11-25T12:00:00Z").run.retry_at);
  EXPECT_FALSE(Next("2027-11-25T22:00:00Z"));
}

TEST(ScheduleNames, GoBothWays) {
  for (const auto name : {"hourly", "daily", "weekly", "monthly", "yearly"}) {
    EXPECT_EQ(FrequencyName(ParseFrequency(name).value()), name);
  }
  for (const auto name : {"days", "weeks", "months", "years"}) {
    EXPECT_EQ(RetentionUnitName(ParseRetentionUnit(name).value()), name);
  }
  EXPECT_FALSE(ParseFrequency("DAILY"));
  EXPECT_FALSE(ParseRetentionUnit(""));
}

}  // namespace
}  // namespace tidemark::domain
