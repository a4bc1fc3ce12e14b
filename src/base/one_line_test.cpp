#include "base/one_line.h"

#include <gtest/gtest.h>

namespace tidemark {
namespace {

TEST(OneLine, KeepsWhatCanBeRead) {
  EXPECT_EQ(OneLine(""), "");
  EXPECT_EQ(OneLine("shop.a/b c"), "shop.a/b c");
  EXPECT_EQ(OneLine("\xc3\x9cn\xc3\xaf \xe6\xbc\xa2 \xc2\xa0"),
            "\xc3\x9cn\xc3\xaf \xe6\xbc\xa2 \xc2\xa0");
}

TEST(OneLine, EscapesWhatStartsALineOrCommandsATerminal) {
  EXPECT_EQ(OneLine("a\n  drop b\r\t"), "a\\n  drop b\\r\\t");
  EXPECT_EQ(OneLine("\x1b[2J\x7f"), "\\x1b[2J\\x7f");
  EXPECT_EQ(OneLine(std::string_view("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(OneLine("\xc2\x9b"
                    "2J"),
            "\\u009b2J");  // one character that begins a command
}

TEST(OneLine, EscapesWhatTurnsTheDirectionOfWriting) {
  EXPECT_EQ(OneLine("invoice\u202egnp.exe"), "invoice\\u202egnp.exe");
  EXPECT_EQ(OneLine("\u200e\u200f\u202a\u2066\u2069"), "\\u200e\\u200f\\u202a\\u2066\\u2069");
  EXPECT_EQ(OneLine("\u200d\u2010\u2029\u2065\u206a"), "\u200d\u2010\u2029\u2065\u206a");
}

TEST(OneLine, TakesTextThatIsCutAmidACharacter) {
  EXPECT_EQ(OneLine("\xc2"), "\xc2");
  EXPECT_EQ(OneLine("\xff\xfe"), "\xff\xfe");
}

}  // namespace
}  // namespace tidemark
