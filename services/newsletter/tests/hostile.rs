//! 500 hostile templates: each is stopped within 100 ms and 16 MiB with a clear error. In a program of its own, since its allocator counts.

use std::time::{Duration, Instant};

use peak_alloc::PeakAlloc;
use rapport_core::Violations;
use rapport_newsletter::domain::{Content, template};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const ROOM: usize = 16 * 1024 * 1024;
const TIME: Duration = Duration::from_millis(100);

/// A list of so many numbers.
fn list(length: usize) -> String {
    format!("[{}]", vec!["1"; length].join(","))
}

fn loops(depth: usize, length: usize, inside: &str) -> String {
    let begin = format!("{{% for a in {} %}}", list(length)).repeat(depth);
    format!("{begin}{inside}{}", "{% endfor %}".repeat(depth))
}

/// One family of templates; the number makes a member of it, always a little worse.
type Family = (&'static str, fn(usize) -> Content);

fn text(text: String) -> Content {
    Content { subject: "x".into(), text, ..Content::default() }
}

fn html(html: String) -> Content {
    Content { subject: "x".into(), html, ..Content::default() }
}

fn mjml(inside: &str) -> Content {
    Content { subject: "x".into(), mjml: format!("<mjml><mj-body>{inside}"), ..Content::default() }
}

const FAMILIES: &[Family] = &[
    ("texts multiplied", |n| text(format!("{{{{ 'a' * {} }}}}", 10_u64.pow(u32::try_from(n).expect("small") % 19)))),
    ("powers", |n| text(format!("{{{{ 9 ** 9 ** {n} }}}}"))),
    ("texts doubled", |n| text("{% set a = a ~ a %}".repeat(n + 1))),
    ("macros that call themselves", |n| text(format!("{{% macro m() %}}{}{{% endmacro %}}{{{{ m() }}}}", "{{ m() }}".repeat(n + 1)))),
    ("long ranges", |n| text(format!("{{% for a in range({}) %}}x{{% endfor %}}", 10_usize.pow(9) + n))),
    ("loops in loops", |n| text(loops(5 + n % 10, 10 + n, "x"))),
    ("loops in loops that say nothing", |n| text(loops(6 + n % 10, 10 + n, "{% if 1 == 2 %}x{% endif %}"))),
    ("loops that call themselves", |n| text(format!("{{% for a in {} recursive %}}{{{{ loop([1, 1]) }}}}{{% endfor %}}", list(n + 1)))),
    ("texts joined in loops", |n| text(loops(2, 20 + n, "{{ 'aaaaaaaaaa' ~ 'bbbbbbbbbb' ~ a }}"))),
    ("texts joined often", |n| text(format!("{{{{ 'a'{} }}}}", " ~ 'a'".repeat(100 + n)))),
    ("long texts in loops", |n| text(loops(2, 40 + n, &"x".repeat(2000)))),
    ("long filters in loops", |n| text(loops(4, 20 + n, &format!("{{% if '{}' | upper | lower == 1 %}}x{{% endif %}}", "x".repeat(1500))))),
    ("deep brackets", |n| text(format!("{{{{ {}1{} }}}}", "(".repeat(200 + n), ")".repeat(200 + n)))),
    ("deep lists", |n| text(format!("{{{{ {}1{} }}}}", "[".repeat(200 + n), "]".repeat(200 + n)))),
    ("deep conditions", |n| text(format!("{}{}", "{% if 1 %}".repeat(400 + n * 50), "{% endif %}".repeat(400 + n * 50)))),
    ("many tags that are not closed", |n| text("{{ ".repeat(1000 * (n + 1)))),
    ("many comments, the last one open", |n| text(format!("{}{{#", "{# x #}".repeat(500 * (n + 1))))),
    ("files", |n| text(format!("{{% {} '/etc/passwd' %}}", ["include", "import", "extends", "from"][n % 4]))),
    ("filters that fill", |n| text(format!("{{{{ 'x' | {}(99999999{n}) }}}}", ["indent", "center", "format", "replace"][n % 4]))),
    ("functions that fill", |n| text(format!("{{{{ {}(99999999{n}) }}}}", ["range", "lipsum", "dict", "namespace"][n % 4]))),
    ("too long by itself", |n| html("x".repeat(template::MAX_PART + 1 + n * 1000))),
    ("deep elements with styles", |n| html(format!("<style>p{{}}</style>{}", "<div>".repeat(200 + n * 800)))),
    ("elements not closed with styles", |n| html(format!("<style>p{{}}</style>{}", "<b><i><p>".repeat(200 + n * 500)))),
    ("many rules for many elements", |n| {
        html(format!("<style>{}</style>{}", "p{color:red}".repeat(800 + n * 50), "<p>x</p>".repeat(800 + n * 50)))
    }),
    ("deep MJML", |n| mjml(&"<mj-section>".repeat(200 + n * 300))),
    ("MJML not closed", |n| mjml(&"<mj-text>x".repeat(n + 1))),
    ("MJML from files", |n| mjml(&format!("<mj-include path=\"/etc/passwd{n}\" /></mj-body></mjml>"))),
];

#[test]
fn every_hostile_template_is_stopped_in_time_in_little_memory_and_with_a_clear_error() {
    let sample = template::issue_sample();
    // What is made once in the life of a program is not counted against the first.
    let mut first = Violations::new();
    text("Hello {{ subscriber.email }}".to_owned()).prepared("issue", &mut first).check("issue", &sample, &mut first);
    assert!(first.is_empty());
    let mut count = 0;
    let mut wrong = Vec::new();
    for (name, member) in FAMILIES {
        for number in 0..19 {
            let content = member(number);
            let mut violations = Violations::new();
            let before = MEMORY.current_usage();
            MEMORY.reset_peak_usage();
            let begun = Instant::now();
            content.prepared("issue", &mut violations).check("issue", &sample, &mut violations);
            let (time, room) = (begun.elapsed(), MEMORY.peak_usage().saturating_sub(before));
            count += 1;
            let told: Vec<String> =
                violations.into_iter().map(|violation| format!("{}: {}", violation.field, violation.description)).collect();
            if told.is_empty() || told.iter().any(|told| told.len() > 500) || time > TIME || room > ROOM {
                wrong.push(format!(
                    "{name} {number}: {time:?}, {room} octets, {:?}",
                    told.iter().map(|told| told.chars().take(200).collect::<String>()).collect::<Vec<_>>()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
    assert!(count >= 500, "{count}");
}
