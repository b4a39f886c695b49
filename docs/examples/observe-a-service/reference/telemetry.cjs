// OpenTelemetry, before anything that it should see is loaded. Where it sends
// to, and how often, is in the environment (OTEL_EXPORTER_OTLP_ENDPOINT, ...).
'use strict';
const { logs } = require('@opentelemetry/api-logs');
const { metrics } = require('@opentelemetry/api');
const { OTLPLogExporter } = require('@opentelemetry/exporter-logs-otlp-proto');
const { OTLPMetricExporter } = require('@opentelemetry/exporter-metrics-otlp-proto');
const { OTLPTraceExporter } = require('@opentelemetry/exporter-trace-otlp-proto');
const { registerInstrumentations } = require('@opentelemetry/instrumentation');
const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http');
const { BatchLogRecordProcessor, LoggerProvider } = require('@opentelemetry/sdk-logs');
const { MeterProvider, PeriodicExportingMetricReader } = require('@opentelemetry/sdk-metrics');
const { BatchSpanProcessor, NodeTracerProvider } = require('@opentelemetry/sdk-trace-node');

const interval = Number(process.env.OTEL_METRIC_EXPORT_INTERVAL ?? 60_000);

const tracing = new NodeTracerProvider({ spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())] });
tracing.register();

const metering = new MeterProvider({
  readers: [new PeriodicExportingMetricReader({
    exporter: new OTLPMetricExporter(), exportIntervalMillis: interval, exportTimeoutMillis: interval,
  })],
});
metrics.setGlobalMeterProvider(metering);

const logging = new LoggerProvider();
logging.addLogRecordProcessor(new BatchLogRecordProcessor(new OTLPLogExporter()));
logs.setGlobalLoggerProvider(logging);

registerInstrumentations({ instrumentations: [new HttpInstrumentation()] });

exports.shutdown = () => Promise.allSettled([tracing.shutdown(), metering.shutdown(), logging.shutdown()]);
