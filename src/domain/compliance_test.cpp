#include "domain/compliance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidemark::domain {
namespace {

using testing::HasSubstr;
using enum RetentionUnit;

ComplianceItem Item(std::optional<Frequency> frequency,
                    int interval,
                    RetentionUnit unit,
                    int count) {
  return {.frequency = frequency, .interval = interval, .unit = unit, .retention = count};
}

CompliancePolicy Policy(std::vector<ComplianceItem> items) {
  CompliancePolicy policy{.email = "a@b.example", .first_name = "A", .last_name = "B"};
  policy.items = std::move(items);
  SeededRandom random(1);
  for (ComplianceItem& item : policy.items) {
    item.id = PolicyItemId::Generate(Instant(), random);
  }
  return policy;
}

TEST(IsAtLeast, HoldsOnEveryCalendar) {
  EXPECT_TRUE(IsAtLeast(kWeeks, 1, kDays, 7));
  EXPECT_FALSE(IsAtLeast(kDays, 6, kWeeks, 1));
  EXPECT_TRUE(IsAtLeast(kMonths, 12, kYears, 1));
  EXPECT_FALSE(IsAtLeast(kMonths, 11, kYears, 1));
  EXPECT_TRUE(IsAtLeast(kMonths, 1, kDays, 28));
  EXPECT_FALSE(IsAtLeast(kMonths, 1, kDays, 29));  // of February
  EXPECT_TRUE(IsAtLeast(kDays, 31, kMonths, 1));
  EXPECT_FALSE(IsAtLeast(kDays, 30, kMonths, 1));
}

TEST(LongestDays, IsNeverLessThanTheCalendar) {
  for (const RetentionUnit unit : {kDays, kWeeks, kMonths, kYears}) {
    for (int day = 0; day < 2000; ++day) {
      const Instant at{std::chrono::days{day}};
      ASSERT_LE(AddRetention(at, unit, 5), at + LongestDays(unit, 5)) << day;
    }
  }
}

TEST(WeakeningOf, IsAnythingThatPromisesLess) {
  const CompliancePolicy before = Policy({Item(Frequency::kHourly, 6, kDays, 7),
                                          Item(Frequency::kWeekly, 6, kWeeks, 4),
                                          Item(std::nullopt, 0, kDays, 3)});
  const auto weakening = [&](auto change) {
    CompliancePolicy after = before;
    for (ComplianceItem& item : after.items) {
      item.id = {};
    }
    change(after);
    KeepIds(before.items, after.items);
    return WeakeningOf(before, after);
  };
  EXPECT_EQ(weakening([](auto&) {}), "");
  EXPECT_EQ(weakening([](auto& after) { after.items[0].retention = 8; }), "");
  EXPECT_EQ(weakening([](auto& after) { after.items[0].interval = 1; }), "");
  EXPECT_EQ(weakening([](auto& after) { after.items[1].interval = 2; }), "");
  EXPECT_EQ(
      weakening([](auto& after) { after.items[1] = Item(Frequency::kWeekly, 6, kMonths, 1); }), "");
  EXPECT_EQ(
      weakening([](auto& after) { after.items.push_back(Item(Frequency::kWeekly, 1, kDays, 1)); }),
      "");
  EXPECT_THAT(weakening([](auto& after) { after.items[0].retention = 6; }), HasSubstr("hourly"));
  EXPECT_THAT(weakening([](auto& after) { after.items[0].interval = 8; }), HasSubstr("less often"));
  EXPECT_THAT(weakening([](auto& after) { after.items.pop_back(); }), HasSubstr("on-demand"));
  EXPECT_THAT(weakening([](auto& after) { after.items.clear(); }), HasSubstr("gone"));
  EXPECT_THAT(weakening([](auto& after) { after.items[2].retention = 2; }), HasSubstr("less"));
  EXPECT_THAT(
      weakening([](auto& after) { after.items[1] = Item(Frequency::kWeekly, 6, kDays, 27); }),
      HasSubstr("weekly"));
  CompliancePolicy window = before;
  window.window_days = 7;
  EXPECT_THAT(WeakeningOf(window, before), HasSubstr("restoreWindowDays"));
}

TEST(RaiseTo, MakesWhatShortfallOfFinds) {
  CompliancePolicy policy = Policy({Item(Frequency::kHourly, 6, kDays, 7),
                                    Item(Frequency::kWeekly, 6, kWeeks, 4),
                                    Item(Frequency::kYearly, 1, kYears, 2),
                                    Item(std::nullopt, 0, kDays, 3)});
  policy.window_days = 3;
  Schedule schedule;
  schedule.enabled = false;
  schedule.items = {{Frequency::kHourly, 12, kDays, 9},
                    {Frequency::kWeekly, 1, kDays, 1},
                    {Frequency::kWeekly, 2, kMonths, 2}};
  EXPECT_THAT(ShortfallOf(schedule, policy), HasSubstr("off"));
  schedule.enabled = true;
  EXPECT_THAT(ShortfallOf(schedule, policy), HasSubstr("every 6 hours"));
  RaiseTo(policy, schedule);
  EXPECT_EQ(ShortfallOf(schedule, policy), "");
  EXPECT_THAT(schedule.items,
              testing::ElementsAre(PolicyItem{Frequency::kHourly, 6, kDays, 9},
                                   PolicyItem{Frequency::kWeekly, 1, kWeeks, 4},
                                   PolicyItem{Frequency::kWeekly, 2, kMonths, 2},
                                   PolicyItem{Frequency::kYearly, 1, kYears, 2}));
  EXPECT_EQ(schedule.point_in_time_hours, 72);
  // Each part of it counts.
  for (std::size_t i = 0; i < schedule.items.size(); ++i) {
    Schedule less = schedule;
    less.items[i].unit = kDays;
    less.items[i].retention = 1;
    EXPECT_NE(ShortfallOf(less, policy), "") << i;
  }
  schedule.items.pop_back();
  EXPECT_THAT(ShortfallOf(schedule, policy), HasSubstr("yearly"));
  schedule.items.clear();
  EXPECT_THAT(ShortfallOf(schedule, policy), HasSubstr("hourly"));
  // A policy about other snapshots only asks nothing of schedules.
  schedule.enabled = false;
  const CompliancePolicy asked = Policy({Item(std::nullopt, 0, kDays, 3)});
  EXPECT_EQ(ShortfallOf(schedule, asked), "");
  RaiseTo(asked, schedule);
  EXPECT_FALSE(schedule.enabled);
}

TEST(ComplianceProblem, NamesWhatIsWrong) {
  EXPECT_EQ(ComplianceProblem(Policy({Item(std::nullopt, 0, kDays, 3)})), "");
  EXPECT_NE(ComplianceProblem(Policy({Item(Frequency::kHourly, 5, kDays, 3)})), "");
  EXPECT_NE(ComplianceProblem(Policy({Item(std::nullopt, 0, kDays, 0)})), "");
  EXPECT_NE(
      ComplianceProblem(Policy({Item(std::nullopt, 0, kDays, 3), Item(std::nullopt, 0, kDays, 4)})),
      "");
  CompliancePolicy twice = Policy({Item(Frequency::kHourly, 6, kDays, 3)});
  twice.items.push_back(twice.items.front());
  EXPECT_THAT(ComplianceProblem(twice), HasSubstr("two policy items"));
  CompliancePolicy nobody = Policy({});
  nobody.email.clear();
  EXPECT_NE(ComplianceProblem(nobody), "");
}

}  // namespace
}  // namespace tidemark::domain
