// Draws each chart from the table beside it, so that both always say the same.
(() => {
  const charts = [];
  const number = (text) => (text === undefined || text === "" ? null : Number(text));
  // A time may have the market's under it; a chart says the reader's alone.
  const named = (cell) => (cell.querySelector("time")?.firstChild || cell).textContent.trim();
  const paints = {
    light: { text: "#182433", muted: "#4b5867", line: "#dce1e7", surface: "#ffffff" },
    dark: { text: "#e6e9ee", muted: "#a9b6c6", line: "#3a4250", surface: "#1f2733" },
  };
  const look = () => paints[document.documentElement.dataset.bsTheme] || paints.light;

  const common = (paint) => ({
    animation: false,
    textStyle: { fontFamily: "inherit", color: paint.text },
    tooltip: {
      renderMode: "richText",
      backgroundColor: paint.surface,
      borderColor: paint.line,
      textStyle: { color: paint.text },
      confine: true,
    },
  });

  const axis = (paint, more) => ({
    axisLabel: { color: paint.muted, hideOverlap: true },
    axisLine: { lineStyle: { color: paint.line } },
    splitLine: { lineStyle: { color: paint.line } },
    nameTextStyle: { color: paint.muted },
    ...more,
  });

  const heat = (figure, table, paint) => {
    const columns = [...table.tHead.rows[0].cells].slice(1).map(named);
    const rows = [...table.tBodies[0].rows];
    const names = rows.map((row) => named(row.cells[0]));
    const values = rows.flatMap((row, y) =>
      [...row.cells].slice(1).map((cell, x) => [x, y, number(cell.dataset.value)]),
    );
    const known = values.map(([, , value]) => value).filter((value) => value !== null);
    figure.style.blockSize = `${100 + 28 * names.length}px`;
    return {
      ...common(paint),
      grid: { left: 8, right: 16, top: 8, bottom: 64, containLabel: true },
      xAxis: axis(paint, { type: "category", data: columns, splitLine: { show: false } }),
      yAxis: axis(paint, { type: "category", data: names, inverse: true, splitLine: { show: false } }),
      visualMap: {
        min: Math.min(...known),
        max: Math.max(...known),
        precision: 3,
        calculable: true,
        orient: "horizontal",
        left: "center",
        bottom: 0,
        textStyle: { color: paint.muted },
        inRange: { color: ["#2c7bb6", "#abd9e9", "#ffffbf", "#fdae61", "#d7191c"] },
      },
      series: [
        {
          type: "heatmap",
          data: values.map(([x, y, value]) => [x, y, value === null ? "-" : value]),
          itemStyle: { borderColor: paint.surface, borderWidth: 1 },
          tooltip: {
            formatter: ({ value: [x, y, price] }) =>
              `${names[y]} ${columns[x]}\n${price} ${figure.dataset.unit}`,
          },
        },
      ],
    };
  };

  const lines = (figure, table, paint) => {
    const names = [...table.tHead.rows[0].cells].slice(1).map(named);
    const rows = [...table.tBodies[0].rows];
    return {
      ...common(paint),
      tooltip: { ...common(paint).tooltip, trigger: "axis" },
      legend: { type: "scroll", top: 0, textStyle: { color: paint.text } },
      grid: { left: 8, right: 24, top: 48, bottom: 8, containLabel: true },
      xAxis: axis(paint, {
        type: "category",
        data: rows.map((row) => named(row.cells[0])),
      }),
      yAxis: axis(paint, { type: "value", name: figure.dataset.unit, scale: true }),
      series: names.map((name, column) => ({
        name,
        type: "line",
        connectNulls: true,
        symbolSize: 6,
        data: rows.map((row) => number(row.cells[column + 1].dataset.value)),
      })),
    };
  };

  const stairs = (rows) => {
    let before = 0;
    return rows.flatMap((row) => {
      const price = number(row.dataset.price);
      const step = [[before, price], [number(row.dataset.total), price]];
      before = number(row.dataset.total);
      return step;
    });
  };

  const curves = (figure, table, paint) => {
    const rows = [...table.tBodies[0].rows];
    const of = (side) => stairs(rows.filter((row) => row.dataset.side === side));
    const { unit, supply, demand, point, quantityName, price, quantity } = figure.dataset;
    const side = (name, data, shade) => ({
      name,
      type: "line",
      showSymbol: false,
      data,
      lineStyle: { color: shade, width: 2 },
      itemStyle: { color: shade },
    });
    const met = {
      name: point,
      type: "scatter",
      symbolSize: 14,
      itemStyle: { color: "#d63939", borderColor: paint.surface, borderWidth: 2 },
      data: price ? [[number(quantity), number(price)]] : [],
    };
    return {
      ...common(paint),
      legend: { top: 0, textStyle: { color: paint.text } },
      grid: { left: 8, right: 32, top: 48, bottom: 28, containLabel: true },
      xAxis: axis(paint, { type: "value", name: quantityName, nameLocation: "middle", nameGap: 28 }),
      yAxis: axis(paint, { type: "value", name: unit }),
      series: [side(supply, of("supply"), "#206bc4"), side(demand, of("demand"), "#f76707"), met],
    };
  };

  const kinds = { heat, lines, curves };

  const draw = (figure) => {
    const table = document.getElementById(figure.dataset.table);
    if (!table || !window.echarts) return;
    const options = kinds[figure.dataset.chart](figure, table, look());
    figure.classList.add("drawn");
    const chart = window.echarts.getInstanceByDom(figure) || window.echarts.init(figure);
    chart.setOption(options, true);
    chart.resize();
    charts.push(chart);
  };

  const drawAll = () => {
    while (charts.length) {
      const chart = charts.pop();
      if (!document.body.contains(chart.getDom())) chart.dispose();
    }
    document.querySelectorAll("figure[data-chart]").forEach(draw);
  };

  drawAll();
  document.addEventListener("htmx:afterSwap", drawAll);
  window.addEventListener("resize", () => charts.forEach((chart) => chart.resize()));
  new MutationObserver(drawAll).observe(document.documentElement, {
    attributeFilter: ["data-bs-theme"],
  });
})();
