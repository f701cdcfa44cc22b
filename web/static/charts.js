// Shows the charts of a page. Their data stand in the page as JSON; the table beside each chart says the same without it.
"use strict";
(() => {
  // The charts' program makes <style> elements without a nonce; with ours the browser takes them, and no others.
  const nonce = document.currentScript.dataset.nonce;
  const make = document.createElement;
  document.createElement = function (name, options) {
    const made = make.call(this, name, options);
    if (String(name).toLowerCase() === "style") made.nonce = nonce;
    return made;
  };
  window.addEventListener("DOMContentLoaded", () => {
    for (const holder of document.querySelectorAll("[data-chart]")) {
      Bokeh.embed.embed_item(JSON.parse(document.getElementById(holder.dataset.chart).textContent), holder.id);
    }
  });
})();
