#include "runner/telemetry/redactor.h"

#include <gtest/gtest.h>

#include <string>

namespace assay::telemetry {
namespace {

TEST(RedactorTest, ReplacesEveryOccurrenceByItsName) {
  Redactor redactor;
  redactor.Add("jwt", "s3cr3t-value");
  EXPECT_EQ(redactor.Redact("a s3cr3t-value b s3cr3t-value"),
            "a [secret:jwt] b [secret:jwt]");
  EXPECT_EQ(redactor.Redact("s3cr3t-valu"), "s3cr3t-valu");
}

// A value that was shortened for people still shows most of a password.
TEST(RedactorTest, FindsTheBeginningOfAValueThatWasCut) {
  Redactor redactor;
  redactor.Add("jwt", "s3cr3t-value");
  EXPECT_EQ(redactor.Redact("got s3cr3t-v... and s3cr3t-value..."),
            "got [secret:jwt]... and [secret:jwt]...");
  EXPECT_EQ(redactor.Redact("got s3cr3t-v... at x; got s3cr3t..."),
            "got [secret:jwt]... at x; got [secret:jwt]...");
  EXPECT_EQ(redactor.Redact("yes..."), "yes...");
}

TEST(RedactorTest, TheLongerOfTwoNestedSecretsWins) {
  Redactor redactor;
  redactor.Add("short", "abcd");
  redactor.Add("long", "abcd1234");
  EXPECT_EQ(redactor.Redact("abcd1234 abcd"), "[secret:long] [secret:short]");
}

TEST(RedactorTest, FindsValuesInOtherSpellings) {
  Redactor redactor;
  redactor.Add("pw", "p&ss \"word\"");
  EXPECT_EQ(redactor.Redact("x=p%26ss%20%22word%22;"), "x=[secret:pw];");
  EXPECT_EQ(redactor.Redact(R"({"k":"p&ss \"word\""})"),
            R"({"k":"[secret:pw]"})");
}

TEST(RedactorTest, FindsValuesInsideBase64AtEveryAlignment) {
  Redactor redactor;
  redactor.Add("pw", "correct-horse-battery");
  // base64 of "u:correct-horse-battery", "us:...", "usr:...".
  for (const std::string text :
       {"dTpjb3JyZWN0LWhvcnNlLWJhdHRlcnk=", "dXM6Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5",
        "dXNyOmNvcnJlY3QtaG9yc2UtYmF0dGVyeQ=="}) {
    EXPECT_NE(redactor.Redact(text).find("[secret:pw]"), std::string::npos)
        << text;
  }
}

TEST(RedactorTest, ShortValuesAreLeftAlone) {
  Redactor redactor;
  redactor.Add("n", "7");
  EXPECT_EQ(redactor.Redact("17 of 7"), "17 of 7");
}

TEST(RedactorTest, AStreamFindsSecretsAcrossEverySplit) {
  Redactor redactor;
  redactor.Add("jwt", "abcabcabd");
  const std::string text = "xabcabcabcabdyab";
  for (std::size_t split = 0; split <= text.size(); ++split) {
    Redactor::Stream stream(redactor);
    std::string out = stream.Push(text.substr(0, split));
    out += stream.Push(text.substr(split));
    out += stream.Finish();
    EXPECT_EQ(out, "xabc[secret:jwt]yab") << "split at " << split;
  }
}

TEST(RedactorTest, AStreamHoldsBackOnlyWhatMightBeASecret) {
  Redactor redactor;
  redactor.Add("jwt", "secret-value");
  Redactor::Stream stream(redactor);
  EXPECT_EQ(stream.Push("ready\n"), "ready\n");
  EXPECT_EQ(stream.Push("it is secr"), "it is ");
  EXPECT_EQ(stream.Push("etly"), "secretly");
}

}  // namespace
}  // namespace assay::telemetry
