# The same template through jinja2: renderings a second.
import json, sys, time
sys.path.insert(0, sys.argv[1])
from jinja2 import Environment, StrictUndefined

template = Environment(autoescape=True, undefined=StrictUndefined).from_string(open(sys.argv[2]).read())
values = json.load(open(sys.argv[3]))
seconds = float(sys.argv[4])
template.render(values)
count, begin = 0, time.perf_counter()
while time.perf_counter() - begin < seconds:
    template.render(values)
    count += 1
print(count / (time.perf_counter() - begin))
