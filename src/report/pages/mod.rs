//! Pages that need no network: one shell with its style and helpers, and a script for each page that draws
//! its data.

use serde_json::Value as Json;

const STYLE: &str = include_str!("page.css");
const COMMON: &str = include_str!("common.js");

/// A page.
pub struct Page<'a> {
    /// What it is called.
    pub title: &'a str,
    /// A sentence below the title.
    pub sentence: &'a str,
    /// What it shows.
    pub data: &'a Json,
    /// What draws it, into `main`, with `data` and the helpers of `common.js`.
    pub script: &'a str,
}

impl Page<'_> {
    /// The whole file.
    pub fn write(&self) -> String {
        // No text of the input can end the script element, or begin a comment in it.
        let data = self.data.to_string().replace('<', "\\u003c");
        let escaped = |text: &str| {
            text.replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;")
        };
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n\
             <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
             <header><h1>{title}</h1><div class=\"sub\">{sentence}</div></header>\n\
             <div class=\"bar\" id=\"bar\"></div>\n<main id=\"main\"></main>\n\
             <script>\nconst data = {data};\n{COMMON}\n{script}</script>\n</body>\n</html>\n",
            title = escaped(self.title),
            sentence = escaped(self.sentence),
            script = self.script,
        )
    }
}
