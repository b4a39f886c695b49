#include "runner/telemetry/correlation.h"

#include <gtest/gtest.h>

namespace assay::telemetry {
namespace {

using Kind = Correlation::Place::Kind;

TEST(CorrelationTest, OneRequestInFlightIsExact) {
  Correlation correlation;
  correlation.SetBackground({"trace", "check"});
  const auto request = correlation.Enter({"trace", "request"});
  const auto mark = correlation.Mark();
  correlation.Leave(request);
  // The mark stays what it was when later requests come.
  correlation.Enter({"trace", "later"});
  EXPECT_EQ(correlation.At(mark).kind, Kind::kRequest);
  EXPECT_EQ(correlation.At(mark).span.span_id, "request");
  EXPECT_EQ(correlation.At(mark).request, request);
  EXPECT_FALSE(correlation.Overlapped(request));
}

TEST(CorrelationTest, NoRequestAndSeveralBelongToTheBackground) {
  Correlation correlation;
  correlation.SetBackground({"trace", "check"});
  EXPECT_EQ(correlation.At(correlation.Mark()).kind, Kind::kIdle);
  const auto a = correlation.Enter({"trace", "a"});
  const auto b = correlation.Enter({"trace", "b"});
  const auto place = correlation.At(correlation.Mark());
  EXPECT_EQ(place.kind, Kind::kAmbiguous);
  EXPECT_EQ(place.span.span_id, "check");
  EXPECT_TRUE(correlation.Overlapped(a));
  EXPECT_TRUE(correlation.Overlapped(b));
  correlation.Leave(a);
  EXPECT_EQ(correlation.At(correlation.Mark()).request, b);
}

}  // namespace
}  // namespace assay::telemetry
