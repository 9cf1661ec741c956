// Shows only what holds the text that is looked for; without this script everything is shown.
const box = document.getElementById("find");
box.parentElement.hidden = false;
box.addEventListener("input", () => {
  const wanted = box.value.toLowerCase();
  for (const found of document.querySelectorAll(".item")) {
    found.hidden = !found.textContent.toLowerCase().includes(wanted);
  }
  for (const group of document.querySelectorAll("details.group")) {
    group.hidden = ![...group.querySelectorAll(".item")].some(item => !item.hidden);
    group.open = group.open || wanted !== "";
  }
});
