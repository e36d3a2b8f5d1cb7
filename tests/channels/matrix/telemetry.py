"""Telemetry: what is sent to services that watch, and what experiment trackers store."""

from __future__ import annotations

from channel import EMAIL, Channel


def _channel(name: str, code: str, **kwargs: object) -> Channel:
    return Channel(name, code, **kwargs)  # type: ignore[arg-type]


_SENTRY = """
import logging, sentry_sdk, json
from sentry_sdk.transport import Transport
class Wire(Transport):
    def capture_envelope(self, envelope): open("wire", "ab").write(envelope.serialize())
sentry_sdk.init(dsn="http://key@127.0.0.1:9/1", transport=Wire, traces_sample_rate=1.0, {options})
"""
_OTEL = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, ConsoleSpanExporter
class Wire(ConsoleSpanExporter): pass
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter(out=open("wire", "w"))))
tracer = provider.get_tracer("x")
"""
_OTEL_READER = """
from opentelemetry import trace
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
def read(span): open("wire", "a").write(f"{span.name} {dict(span.attributes)} {span!r} {span.to_json()}")
class Reader(SpanProcessor):
    def on_start(self, span, parent_context=None): read(span)
provider = TracerProvider()
provider.add_span_processor(Reader())
tracer = provider.get_tracer("x")
"""
_OTEL_LOGS = """
import logging
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor, ConsoleLogExporter
provider = LoggerProvider()
provider.add_log_record_processor(SimpleLogRecordProcessor(ConsoleLogExporter(out=open("wire", "w"))))
logging.getLogger().addHandler(LoggingHandler(logger_provider=provider))
"""

CHANNELS = [
    _channel("Sentry: message", _SENTRY.format(options="") + "sentry_sdk.capture_message(SECRET)"),
    _channel(
        "Sentry: exception",
        _SENTRY.format(options="")
        + "try: raise ValueError(SECRET)\nexcept ValueError: sentry_sdk.capture_exception()",
    ),
    _channel(
        "Sentry: variables of frames",
        _SENTRY.format(options="")
        + "def f(text): 1/0\ntry: f(SECRET)\nexcept Exception: sentry_sdk.capture_exception()",
    ),
    _channel("Sentry: log record", _SENTRY.format(options="") + "logging.error('said %s', SECRET)"),
    _channel(
        "Sentry: breadcrumb",
        _SENTRY.format(options="")
        + "sentry_sdk.add_breadcrumb(message=SECRET, data={'q': SECRET})\nsentry_sdk.capture_message('x')",
    ),
    _channel(
        "Sentry: context, tag, user",
        _SENTRY.format(options="")
        + "sentry_sdk.set_user({'email': EMAIL})\nsentry_sdk.set_context('chat', {'prompt': PROMPT})\nsentry_sdk.set_tag('q', EMAIL)\nsentry_sdk.capture_message('x')",
    ),
    _channel(
        "Sentry: transaction",
        _SENTRY.format(options="")
        + "with sentry_sdk.start_transaction(name=SECRET) as t: t.set_data('prompt', SECRET)",
    ),
    _channel(
        "Sentry: attachment by path",
        _SENTRY.format(options="")
        + "open('said.txt', 'w').write(SECRET)\nsentry_sdk.get_current_scope().add_attachment(path='said.txt')\nsentry_sdk.capture_message('x')\nimport os; os.remove('said.txt')",
    ),
    _channel(
        "OpenTelemetry: attribute of a span",
        _OTEL
        + "with tracer.start_as_current_span('chat') as span: span.set_attribute('gen_ai.prompt', SECRET)",
    ),
    _channel(
        "OpenTelemetry: attributes at the start",
        _OTEL
        + "with tracer.start_as_current_span('chat', attributes={'gen_ai.input.messages': [SECRET]}): pass",
    ),
    _channel(
        "OpenTelemetry: name of a span", _OTEL + "with tracer.start_as_current_span(SECRET): pass"
    ),
    _channel(
        "OpenTelemetry: event",
        _OTEL
        + "with tracer.start_as_current_span('chat') as span: span.add_event('gen_ai.user.message', {'content': SECRET})",
    ),
    _channel(
        "OpenTelemetry: exception",
        _OTEL
        + "try:\n    with tracer.start_as_current_span('chat'): raise ValueError(SECRET)\nexcept ValueError: pass",
    ),
    _channel(
        "OpenTelemetry: status",
        _OTEL
        + "with tracer.start_as_current_span('chat') as span: span.set_status(trace.Status(trace.StatusCode.ERROR, SECRET))",
    ),
    _channel(
        "OpenTelemetry: attributes when a span starts, read by a processor",
        _OTEL_READER
        + "with tracer.start_as_current_span(EMAIL, attributes={'asked': [PROMPT]}): pass",
    ),
    _channel(
        "OpenTelemetry: a span that is read before it ends",
        _OTEL_READER
        + "with tracer.start_as_current_span('chat') as span:\n    span.set_attribute('asked', SECRET); read(span)\nwith tracer.start_as_current_span('chat') as span:\n    span.set_attributes({'asked': EMAIL}); span.add_event('asked', {'text': PROMPT}); read(span)",
    ),
    _channel(
        "OpenTelemetry: name, link and status of a span that is read before it ends",
        _OTEL_READER
        + "with tracer.start_as_current_span('chat', links=[trace.Link(trace.SpanContext(1, 2, False), {'asked': EMAIL})]) as span:\n    span.update_name(PROMPT); read(span)\nwith tracer.start_as_current_span('chat') as span:\n    span.set_status(trace.StatusCode.ERROR, EMAIL); read(span); span.set_status(trace.Status(trace.StatusCode.ERROR, PROMPT)); read(span)",
    ),
    _channel(
        "OpenTelemetry: exception in a span that is read before it ends",
        _OTEL_READER
        + "with tracer.start_as_current_span('chat') as span: span.record_exception(ValueError(SECRET)); read(span)",
    ),
    _channel(
        "OpenTelemetry: resource",
        "from opentelemetry.sdk.resources import Resource\nresource = Resource({'app.prompt': SECRET})\n"
        + _OTEL.replace("TracerProvider()", "TracerProvider(resource=resource)")
        + "with tracer.start_as_current_span('chat'): pass",
    ),
    _channel(
        "OpenTelemetry: attribute of a metric",
        "from opentelemetry.sdk.metrics import MeterProvider\nfrom opentelemetry.sdk.metrics.export import ConsoleMetricExporter, PeriodicExportingMetricReader\nreader = PeriodicExportingMetricReader(ConsoleMetricExporter(out=open('wire', 'w')))\nprovider = MeterProvider([reader]); meter = provider.get_meter('x')\nmeter.create_counter('asked').add(1, {'prompt': SECRET})\nmeter.create_histogram('took').record(2.5, {'prompt': SECRET})\nprovider.shutdown()",
    ),
    _channel(
        "OpenTelemetry: what a metric and a meter say of themselves",
        "from opentelemetry.sdk.metrics import MeterProvider\nfrom opentelemetry.sdk.metrics.export import ConsoleMetricExporter, PeriodicExportingMetricReader\nprovider = MeterProvider([PeriodicExportingMetricReader(ConsoleMetricExporter(out=open('wire', 'w')))])\nmeter = provider.get_meter('m', attributes={'user': SECRET})\nmeter.create_counter('asked', description=SECRET).add(1, {}); provider.shutdown()",
    ),
    _channel(
        "OpenTelemetry: event and severity of a log record",
        "from opentelemetry.sdk._logs import LoggerProvider\nfrom opentelemetry.sdk._logs.export import ConsoleLogRecordExporter, SimpleLogRecordProcessor\nfrom opentelemetry._logs import LogRecord\nprovider = LoggerProvider(); provider.add_log_record_processor(SimpleLogRecordProcessor(ConsoleLogRecordExporter(out=open('wire', 'w'))))\nprovider.get_logger('x', attributes={'user': SECRET}).emit(LogRecord(timestamp=1, body='b', event_name=SECRET, severity_text=SECRET))",
    ),
    _channel(
        "OpenTelemetry: log record",
        _OTEL_LOGS + "logging.warning('said %s', SECRET, extra={'prompt': SECRET})",
    ),
    _channel(
        "wandb: offline run",
        "import os, wandb\nos.environ['WANDB_SILENT'] = 'true'\nrun = wandb.init(mode='offline', project='x', config={'prompt': SECRET}, notes=SECRET, settings=wandb.Settings(console='off'))\nrun.log({'said': SECRET}); run.summary['said'] = SECRET; run.finish()",
    ),
    _channel(
        "wandb: console capture",
        "import os, wandb\nos.environ['WANDB_SILENT'] = 'true'\nrun = wandb.init(mode='offline', project='x', settings=wandb.Settings(console='wrap'))\nprint(SECRET); run.finish()",
    ),
    _channel(
        "wandb: table and page",
        "import os, wandb\nos.environ['WANDB_SILENT'] = 'true'\nrun = wandb.init(mode='offline', project='x', settings=wandb.Settings(console='off'))\nrun.log({'table': wandb.Table(columns=['said'], data=[[SECRET]]), 'page': wandb.Html('<p>' + SECRET + '</p>')}); run.finish()",
    ),
    _channel(
        "wandb: names of columns, a page in a file",
        "import os, wandb\nos.environ['WANDB_SILENT'] = 'true'\nrun = wandb.init(mode='offline', project='x', settings=wandb.Settings(console='off'))\nopen('page.html', 'w').write('<p>' + SECRET + '</p>')\nrun.log({'table': wandb.Table(columns=[EMAIL, PROMPT], data=[[1, 2]]), 'page': wandb.Html('page.html')}); run.finish(); os.remove('page.html')",
    ),
    _channel(
        "wandb: arguments",
        "import os, sys, wandb\nos.environ['WANDB_SILENT'] = 'true'\nsys.argv += ['--user', EMAIL, '--about', PROMPT]\nwandb.init(mode='offline', project='x', settings=wandb.Settings(console='off')).finish()",
    ),
    _channel(
        "mlflow: tags, metadata and assessments of a trace",
        "import os\nos.environ.update(MLFLOW_ALLOW_FILE_STORE='true', MLFLOW_DISABLE_TELEMETRY='true', MLFLOW_ENABLE_ASYNC_TRACE_LOGGING='false')\nimport mlflow\nmlflow.set_tracking_uri('file:./runs')\nwith mlflow.start_span(name='answer'):\n    mlflow.update_current_trace(tags={'user': SECRET}, metadata={'user': SECRET})\nid = mlflow.get_last_active_trace_id(); mlflow.set_trace_tag(id, 'said', SECRET)\nmlflow.log_feedback(trace_id=id, name='good', value=SECRET, rationale=SECRET)\nmlflow.log_expectation(trace_id=id, name='right', value=SECRET)",
    ),
    _channel(
        "mlflow: registered model",
        "import os\nos.environ.update(MLFLOW_ALLOW_FILE_STORE='true', MLFLOW_DISABLE_TELEMETRY='true')\nimport mlflow\nmlflow.set_tracking_uri('file:./runs')\nclient = mlflow.MlflowClient()\nclient.create_registered_model('m', tags={'user': SECRET}, description=SECRET); client.update_registered_model('m', description=SECRET)",
    ),
    _channel(
        "mlflow: traces",
        "import os\nos.environ.update(MLFLOW_ALLOW_FILE_STORE='true', MLFLOW_DISABLE_TELEMETRY='true', MLFLOW_ENABLE_ASYNC_TRACE_LOGGING='false')\nimport mlflow\nmlflow.set_tracking_uri('file:./runs')\n@mlflow.trace\ndef ask(prompt): raise ValueError(prompt)\ntry: ask(SECRET)\nexcept ValueError: pass\nwith mlflow.start_span(name='answer') as span:\n    span.set_inputs({'prompt': SECRET}); span.set_outputs([SECRET]); span.set_attribute('user', SECRET)",
    ),
    _channel(
        "mlflow: parameters, tags, text",
        "import os\nos.environ.update(MLFLOW_ALLOW_FILE_STORE='true', MLFLOW_DISABLE_TELEMETRY='true')\nimport mlflow\nmlflow.set_tracking_uri('file:./runs')\nwith mlflow.start_run():\n    mlflow.log_param('prompt', SECRET); mlflow.set_tag('user', SECRET); mlflow.log_text(SECRET, 'said.txt'); mlflow.log_dict({'said': SECRET}, 'said.json')",
    ),
    _channel(
        "TensorBoard: text",
        "from tensorboardX import SummaryWriter\nw = SummaryWriter('runs'); w.add_text('said', SECRET); w.close()",
    ),
    _channel(
        "TensorBoard: hyperparameters",
        "from tensorboardX import SummaryWriter\nw = SummaryWriter('runs'); w.add_hparams({'user': SECRET, 'note': 'x' * 90}, {'m': 1.0}); w.close()",
    ),
    _channel(
        "swanlab: configuration set later, arguments",
        'import subprocess, sys\ncode = \'import os, swanlab, sys\\nfrom tacenda import protect\\nprotect(sys.argv[2])\\nswanlab.init(mode="offline", project="x", logdir="runs")\\nswanlab.config.update({"user": sys.argv[1], "about": sys.argv[2]}); swanlab.finish()\'\nsubprocess.run([sys.executable, \'-c\', code, EMAIL, PROMPT])',
    ),
    _channel(
        "swanlab: offline run",
        "import swanlab\nrun = swanlab.init(mode='offline', project='x', config={'prompt': SECRET}, logdir='runs')\nswanlab.log({'said': swanlab.Text(SECRET)}); swanlab.finish()",
    ),
    _channel(
        "pytest: captured output",
        "import subprocess, sys\nopen('test_x.py', 'w').write('import logging\\ndef test_x():\\n    print(' + repr(SECRET) + ')\\n    logging.warning(' + repr(SECRET) + ')\\n    secret = ' + repr(SECRET) + '\\n    assert not secret\\n')\nsubprocess.run([sys.executable, '-m', 'pytest', '-q', '-p', 'no:cacheprovider', 'test_x.py'], stdout=open('out', 'w'))\nimport os; os.remove('test_x.py'); print(open('out').read())",
        leaks=(EMAIL,),
    ),
]
